//! Runs failed imports again, each in its own execution from where that failed, follows them to the end and deletes the dead
//! letters of those that have succeeded.

pub mod follow;
pub mod outcome;
pub mod selection;
pub mod start;
