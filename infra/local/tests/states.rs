//! Step Functions: every path through the real definitions in virtual time, and the wire with scripted services.
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

#[path = "states/calls.rs"]
mod calls;
#[path = "states/core.rs"]
mod core;
#[path = "states/dead_letter.rs"]
mod dead_letter;
#[path = "states/import.rs"]
mod import;
#[path = "states/interrupted.rs"]
mod interrupted;
#[path = "states/language.rs"]
mod language;
#[path = "states/restart.rs"]
mod restart;
#[path = "states/second_opinion.rs"]
mod second_opinion;
#[path = "states/stack.rs"]
mod stack;
#[path = "states/wire.rs"]
mod wire;
