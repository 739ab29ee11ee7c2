//! What kind of work a job is.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The kind of a job: 1 to 20 characters of `a-z0-9-`, the first of them a letter. It stands in the names of state machines and
/// task definitions, and in a table's name of `baton.toml`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct Kind(Cow<'static, str>);

/// Why a text is not a [`Kind`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a kind of job has 1 to 20 characters of a-z0-9-, the first of them a letter; {0:?} is none")]
pub struct InvalidKind(String);

impl Kind {
    /// The import of a CSV file.
    pub const IMPORT: Self = Self(Cow::Borrowed("import"));

    /// The longest kind, in characters.
    pub const MAX_LENGTH: usize = 20;

    /// The kind as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Kind {
    type Err = InvalidKind;

    fn from_str(text: &str) -> Result<Self, InvalidKind> {
        let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        let begins_well = text.bytes().next().is_some_and(|byte| byte.is_ascii_lowercase());
        if begins_well && text.len() <= Self::MAX_LENGTH && text.bytes().all(allowed) {
            Ok(Self(Cow::Owned(text.to_owned())))
        } else {
            Err(InvalidKind(text.chars().take(Self::MAX_LENGTH + 1).collect()))
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Kind {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_can_stand_in_the_name_of_a_machine() {
        for kind in ["import", "report", "a", "month-end-2", "abcdefghijklmnopqrst"] {
            assert_eq!(kind.parse::<Kind>().unwrap().as_str(), kind);
        }
        for text in ["", "Report", "-a", "2a", "a_b", "a b", "日本", "abcdefghijklmnopqrstu"] {
            assert!(text.parse::<Kind>().is_err(), "{text}");
        }
    }
}
