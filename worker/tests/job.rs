//! The life of an import, against real databases and Step Functions' real wire: who may claim, what is written and
//! reported when, and what becomes of a worker that was replaced.
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

#[path = "job/attempts.rs"]
mod attempts;
#[path = "job/claims.rs"]
mod claims;
#[path = "job/databases.rs"]
mod databases;
#[path = "job/endings.rs"]
mod endings;
#[path = "job/fixture.rs"]
mod fixture;
#[path = "support/postgres.rs"]
mod postgres;
#[path = "support/step_functions.rs"]
mod step_functions;
