//! placeholder

pub mod ecs;

pub mod process;

mod store;
pub mod wire;
