//! The embedded stack.

pub mod sqs;
mod store;
mod wire;

pub use wire::AwsError;
