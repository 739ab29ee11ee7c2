//! The dead-letter queue: what lies there and why; what is moved back and dropped. SQS has no search, so that looking at it means
//! receiving its messages.

pub mod copies;
pub mod letter;
pub mod letters;
pub mod move_back;
pub mod selection;
