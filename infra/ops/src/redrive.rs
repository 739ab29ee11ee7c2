//! Runs failed imports again, each in its own execution from where that failed, follows them to the end and deletes the dead
//! letters of those that have succeeded.

pub mod again;
pub mod find;
pub mod follow;
pub mod outcome;
