//! The life of an import, against real databases and Step Functions' real wire: who may claim, what is written and
//! reported when, and what becomes of a worker that was replaced.

mod attempts;
mod claims;
mod databases;
mod endings;
pub(crate) mod fixture;
mod hanging;
mod heartbeats;
mod left;
mod migrations;
mod search;
mod waiting;
