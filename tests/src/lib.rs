#![doc = include_str!("../README.md")]
#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "the harness of tests: what it cannot do fails the test, with a sentence"
)]

pub mod aws;
pub mod binaries;
pub mod deployment;
mod faults;
pub mod front;
pub mod gate;
pub mod http;
pub mod link;
pub mod memory;
pub mod rows;
pub mod secrets;
pub mod stack;
pub mod wait;

#[path = "../../worker/tests/support/postgres.rs"]
mod postgres;

pub use deployment::{Deployment, Version};
pub use front::Front;
pub use gate::Gate;
pub use link::Link;
pub use stack::{Backend, Sent, TestStack};
