//! The embedded stack.

pub mod sqs;
pub mod states;
mod store;
mod wire;

pub use wire::AwsError;
