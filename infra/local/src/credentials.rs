//! The one pair of keys that the stack knows.

use std::fmt;

/// What callers sign with, and what children are given to sign with.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// The access key id, which every request names.
    pub access_key: String,
    /// The secret key. It leaves the stack only in the environment of its children.
    pub secret_key: String,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").field("access_key", &self.access_key).finish_non_exhaustive()
    }
}
