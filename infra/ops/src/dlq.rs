//! The dead-letter queue: what lies there and why; what is moved back and dropped. SQS has no search, so that looking at it means
//! receiving its messages.

pub mod dead_letter;
pub mod delete_succeeded;
pub mod loss;
pub mod move_back;
pub mod queue;
pub mod selection;
