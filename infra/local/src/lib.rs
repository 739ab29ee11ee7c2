#![doc = include_str!("../README.md")]

mod config;
pub mod credentials;
pub mod databases;
pub mod ecs;
mod housekeeping;
pub mod lambda;
mod listen;
pub mod logs;
pub mod process;
mod resources;
pub mod router;
mod rule;
pub mod s3;
mod session;
pub mod sqs;
mod stack;
pub mod states;
mod store;
pub mod wire;
mod wiring;

pub use config::{Config, Limits};
pub use credentials::Credentials;
pub use databases::{DatabaseName, Databases};
pub use resources::{ACCOUNT, REGION, Resources};
pub use session::{Occupied, Session};
pub use stack::Stack;
pub use wire::AwsError;
