//! What is known of one import: its row, its attempts with their containers, its execution state by state, the fate of its message.

pub mod attempts;
pub mod containers;
pub mod execution;
pub mod links;
pub mod message;
pub mod picture;
pub mod progress;
pub mod unclaimed;
