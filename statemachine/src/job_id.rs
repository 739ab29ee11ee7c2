//! What names a job: in messages, in the ledger, in the names of executions.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The id of a job: 1 to 40 characters of `A-Za-z0-9_-`, the first of them no `-`, which would make it an option of a
/// command. In JSON an integer is read as its decimal digits.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct JobId(String);

/// Why a text is not an [`JobId`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an id is an integer or 1 to 40 characters of A-Za-z0-9_- and does not begin with -; {0:?} is none")]
pub struct InvalidJobId(String);

impl JobId {
    /// The longest id, in characters. With a message id behind it, it fits into an execution's name.
    pub const MAX_LENGTH: usize = 40;

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for JobId {
    type Err = InvalidJobId;

    fn from_str(text: &str) -> Result<Self, InvalidJobId> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
        if (1..=Self::MAX_LENGTH).contains(&text.len()) && text.bytes().all(allowed) && !text.starts_with('-')
        {
            Ok(Self(text.to_owned()))
        } else {
            // Long garbage must not travel on inside the complaint about it.
            Err(InvalidJobId(text.chars().take(Self::MAX_LENGTH + 1).collect()))
        }
    }
}

impl fmt::Display for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for JobId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged, expecting = "an id is an integer or a string")]
        enum Form {
            Integer(i64),
            Text(String),
        }
        let text = match Form::deserialize(deserializer)? {
            Form::Integer(number) => number.to_string(),
            Form::Text(text) => text,
        };
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_may_be_an_integer_or_a_text() {
        let read = |json: &str| serde_json::from_str::<JobId>(json).unwrap().to_string();
        assert_eq!((read("42"), read(r#""a_B-9""#)), ("42".to_owned(), "a_B-9".to_owned()));
    }

    #[test]
    fn an_id_that_could_not_name_an_execution_or_be_typed_is_refused() {
        for id in [r#""""#, r#""a b""#, r#""日本""#, "1.5", "null", r#""../x""#, r#""-x""#, "-5"] {
            assert!(serde_json::from_str::<JobId>(id).is_err(), "{id} was accepted");
        }
        assert!("x".repeat(40).parse::<JobId>().is_ok());
        assert!("x".repeat(41).parse::<JobId>().is_err());
    }
}
