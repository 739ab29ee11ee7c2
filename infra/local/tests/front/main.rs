//! What stands behind the stack's port, through the port.
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod router;
mod s3;
mod stack;
