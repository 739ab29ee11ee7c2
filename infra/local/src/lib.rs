//! The embedded stack.

pub mod credentials;
pub mod ecs;
pub mod lambda;
pub mod process;
pub mod router;
pub mod s3;
pub mod sqs;
pub mod states;
mod store;
pub mod wire;

pub use wire::AwsError;
