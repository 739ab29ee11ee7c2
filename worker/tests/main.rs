//! The worker's tests against real databases and real wire protocols, in one binary: one PostgreSQL serves them all.
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod import;
mod job;
mod model;
#[path = "support/postgres.rs"]
mod postgres;
mod process;
#[path = "support/step_functions.rs"]
mod step_functions;
mod tls;
#[path = "support/unpacked.rs"]
mod unpacked;
