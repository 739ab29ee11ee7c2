//! The supervisor with real programs: sh, Python and Node, which do what programs do. Every run has a deadline, and each test
//! waits for a condition.
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod beats;
mod channels;
mod ending;
mod environment;
mod leftovers;
mod memory;
mod output;
mod readme;
mod result;
mod starting;
mod stopping;
mod support;
mod token;
