//! How large a record of a file may be.

use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// How many bytes a record may have, as UTF-8.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "u64", into = "u64")]
pub struct RecordLimit(u32);

impl RecordLimit {
    /// The least and the most that it can be: a row of PostgreSQL has hardly more than the latter.
    pub const RANGE: RangeInclusive<u64> = 1024..=256 * 1024 * 1024;

    /// The most.
    pub const MOST: Self = Self(256 * 1024 * 1024);

    /// The limit, in bytes.
    #[must_use]
    pub fn bytes(self) -> usize {
        self.0 as usize
    }
}

impl Default for RecordLimit {
    fn default() -> Self {
        Self(16 * 1024 * 1024)
    }
}

impl TryFrom<u64> for RecordLimit {
    type Error = String;

    fn try_from(bytes: u64) -> Result<Self, Self::Error> {
        let is_within = Self::RANGE.contains(&bytes);
        u32::try_from(bytes).ok().filter(|_| is_within).map(Self).ok_or_else(|| {
            let (least, most) = (Self::RANGE.start(), Self::RANGE.end());
            format!("a record may have {least} to {most} bytes, and no limit of {bytes} can be given")
        })
    }
}

impl From<RecordLimit> for u64 {
    fn from(limit: RecordLimit) -> Self {
        limit.0.into()
    }
}

impl FromStr for RecordLimit {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let bytes: u64 =
            text.parse().map_err(|_| format!("a number of bytes such as 33554432, not {text:?}"))?;
        bytes.try_into()
    }
}

impl fmt::Display for RecordLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_may_have_a_kilobyte_to_256_megabytes() {
        assert_eq!(RecordLimit::default().bytes(), 16 << 20);
        assert_eq!("268435456".parse::<RecordLimit>().unwrap().to_string(), "268435456");
        for bytes in ["1023", "268435457", "4294967296", "-1", "1 MB", ""] {
            assert!(bytes.parse::<RecordLimit>().is_err(), "{bytes:?}");
        }
        assert!(
            serde_json::from_str::<RecordLimit>("5")
                .unwrap_err()
                .to_string()
                .contains("1024 to 268435456 bytes")
        );
    }
}
