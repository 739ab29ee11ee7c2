//! What becomes of one message.

use std::fmt;

/// What becomes of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Decision {
    /// Lambda deletes it: there is nothing left to do.
    Acknowledged,
    /// Its execution has begun, and has it.
    Started,
    /// Its execution was there before, and has it.
    Held,
    /// It comes again after its visibility timeout, and in the end to the dead-letter queue.
    Left,
}

impl fmt::Display for Decision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Acknowledged => "acknowledged",
            Self::Started => "started",
            Self::Held => "held",
            Self::Left => "left",
        })
    }
}
