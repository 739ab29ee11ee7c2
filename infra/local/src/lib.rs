//! placeholder

pub mod states;
mod store;
pub mod wire;
