//! placeholder

pub mod credentials;
pub mod ecs;
pub mod lambda;
pub mod process;
pub mod router;
pub mod s3;
mod store;
pub mod wire;
