//! How a file is read and loaded, as a message or a producer's row says it. Each part is parsed here, once: whoever holds
//! [`ImportOptions`] need not look at a text again.

mod encoding;
mod record_limit;

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

pub use encoding::Encoding;
pub use record_limit::RecordLimit;

/// How a file is read and loaded. Every field has a default, so that `{}` is the usual import.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ImportOptions {
    /// How many rows may be rejected before the import fails. The default, 0, means all or nothing.
    #[serde(skip_serializing_if = "is_default")]
    pub max_rejects: RejectLimit,
    /// Leave out columns of the file that the table does not have, or that the database fills itself, instead of failing.
    #[serde(skip_serializing_if = "is_default")]
    pub ignore_unknown: bool,
    /// How the file's characters are written. `None`: a byte order mark tells, else it is detected.
    #[serde(skip_serializing_if = "is_default")]
    pub encoding: Option<Encoding>,
    /// What stands between two fields. `None`: it is detected.
    #[serde(skip_serializing_if = "is_default")]
    pub delimiter: Option<Delimiter>,
    /// What a quote within a quoted field has before it. `None`: a quote within quotes is written twice.
    #[serde(skip_serializing_if = "is_default")]
    pub escape: Option<Escape>,
    /// The file has no header: its fields are the table's columns in the table's order, without generated ones.
    #[serde(skip_serializing_if = "is_default")]
    pub no_header: bool,
    /// Which column of the table a name in the header means, where the two differ.
    #[serde(skip_serializing_if = "is_default")]
    pub map: BTreeMap<String, String>,
    /// The text that means NULL, besides the empty field where this is not set. Where it is set, an empty field is an empty
    /// text.
    #[serde(skip_serializing_if = "is_default")]
    pub null: Option<String>,
    /// What an empty field is in a column whose type has an empty value. `None`: the empty text within quotes and NULL without;
    /// where `null` is set, the empty text.
    #[serde(skip_serializing_if = "is_default")]
    pub empty: Option<EmptyFields>,
    /// How dates are written: `%d.%m.%Y`, in the letters of `strftime`. ISO 8601 is read as well, unless this reads it as
    /// another day.
    #[serde(skip_serializing_if = "is_default")]
    pub date_format: Option<String>,
    /// What becomes of a row whose key is in the table already, or earlier in the file.
    #[serde(skip_serializing_if = "is_default")]
    pub on_conflict: OnConflict,
    /// The columns by which rows are the same for `on_conflict`. Empty: the table's primary key.
    #[serde(skip_serializing_if = "is_default")]
    pub key: Vec<String>,
    /// Does all but keep the rows: the report is that of an import, the table stays as it was.
    #[serde(skip_serializing_if = "is_default")]
    pub dry_run: bool,
    /// Reads no more than so many rows.
    #[serde(skip_serializing_if = "is_default")]
    pub limit: Option<u64>,
    /// How large a record may be. A larger one is a reject.
    #[serde(skip_serializing_if = "is_default")]
    pub max_record_bytes: RecordLimit,
    /// Refuses a file that was imported into this table before.
    #[serde(skip_serializing_if = "is_default")]
    pub once: bool,
    /// Drops the indexes of an empty table and builds them again after the load, which locks the table. PostgreSQL only.
    #[serde(skip_serializing_if = "is_default")]
    pub rebuild_indexes: bool,
}

impl ImportOptions {
    pub(crate) fn is_default(&self) -> bool {
        is_default(self)
    }
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// What becomes of a row whose key is in the table already.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OnConflict {
    /// It is a reject.
    #[default]
    Error,
    /// The row that is there stays; within the file, the first one counts.
    Skip,
    /// The row that is there gets the new values; within the file, the last one counts.
    Update,
}

/// What an empty field is in a column whose type has an empty value, such as text. In any other column it is NULL, or a
/// reject where the import names another text for NULL.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EmptyFields {
    /// The empty text in quotes, NULL without them.
    Quoted,
    /// NULL, also in quotes. Quotes do not count for the text of `null` either.
    Null,
    /// The empty text, with and without quotes.
    Text,
}

/// How many rows may be rejected: a number, or a part of the file's rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RejectLimit {
    /// At most so many.
    Rows(u64),
    /// At most so many hundredths of a percent of the rows that were read.
    Share {
        /// Hundredths of a percent, at most 10,000.
        basis_points: u32,
    },
}

impl RejectLimit {
    /// Whether so many rejects among so many rows of a whole file are too many.
    #[must_use]
    pub fn is_exceeded(self, rejects: u64, rows_read: u64) -> bool {
        match self {
            Self::Rows(limit) => rejects > limit,
            Self::Share { basis_points } => {
                u128::from(rejects) * 10_000 > u128::from(rows_read) * u128::from(basis_points)
            }
        }
    }
}

impl Default for RejectLimit {
    fn default() -> Self {
        Self::Rows(0)
    }
}

impl fmt::Display for RejectLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rows(rows) => write!(f, "{rows}"),
            Self::Share { basis_points } => match (basis_points / 100, basis_points % 100) {
                (whole, 0) => write!(f, "{whole}%"),
                (whole, rest) if rest % 10 == 0 => write!(f, "{whole}.{}%", rest / 10),
                (whole, rest) => write!(f, "{whole}.{rest:02}%"),
            },
        }
    }
}

impl FromStr for RejectLimit {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let invalid = || {
            format!(
                "a limit of rejects is a number (20) or a part of the rows, up to 100% and in hundredths (0.5%, 12.25%), not {text:?}"
            )
        };
        let Some(percent) = text.strip_suffix('%') else {
            return text.parse().map(Self::Rows).map_err(|_| invalid());
        };
        let (whole, fraction) = percent.split_once('.').unwrap_or((percent, ""));
        let is_number = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty()
            || whole.len() > 3
            || fraction.len() > 2
            || !is_number(whole)
            || !is_number(fraction)
        {
            return Err(invalid());
        }
        let basis_points: u32 = format!("{whole}{fraction:0<2}").parse().map_err(|_| invalid())?;
        if basis_points <= 10_000 { Ok(Self::Share { basis_points }) } else { Err(invalid()) }
    }
}

impl Serialize for RejectLimit {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Rows(rows) => serializer.serialize_u64(*rows),
            Self::Share { .. } => serializer.collect_str(self),
        }
    }
}

impl<'de> Deserialize<'de> for RejectLimit {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged, expecting = "a limit of rejects is a number (20) or a part of the rows (\"0.5%\")")]
        enum Form {
            Rows(u64),
            Text(String),
        }
        match Form::deserialize(deserializer)? {
            Form::Rows(rows) => Ok(Self::Rows(rows)),
            Form::Text(text) => text.parse().map_err(serde::de::Error::custom),
        }
    }
}

/// Parts that are texts of their own grammar: as JSON, and on a command line, they are that text.
macro_rules! by_text {
    ($($type:ty),*) => {$(
        impl Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
            }
        }
    )*};
}
by_text!(Encoding, Delimiter, Escape);

/// What stands between two fields: one character of ASCII that no field is written with otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Delimiter(u8);

impl Delimiter {
    /// What stands between fields where nothing says otherwise.
    pub const COMMA: Self = Self(b',');

    /// The character.
    #[must_use]
    pub fn byte(self) -> u8 {
        self.0
    }
}

impl fmt::Display for Delimiter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == b'\t' { f.write_str("tab") } else { write!(f, "{}", char::from(self.0)) }
    }
}

impl FromStr for Delimiter {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.as_bytes() {
            b"tab" | b"\\t" | b"\t" => Ok(Self(b'\t')),
            [byte] if byte.is_ascii_punctuation() && !matches!(byte, b'"' | b'\\' | b'.' | b'-' | b'+') => {
                Ok(Self(*byte))
            }
            _ => Err(format!(
                "{text:?} cannot be the delimiter: that is one of , ; | tab, or another punctuation mark of ASCII; letters, digits, \
                 spaces and \" \\ . - + are part of fields"
            )),
        }
    }
}

/// What stands before a quote within a quoted field: a sign of ASCII, in practice the backslash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Escape(u8);

impl Escape {
    /// The character.
    #[must_use]
    pub fn byte(self) -> u8 {
        self.0
    }
}

impl fmt::Display for Escape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", char::from(self.0))
    }
}

impl FromStr for Escape {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.as_bytes() {
            [byte] if byte.is_ascii_punctuation() && !matches!(byte, b'"' | b',') => Ok(Self(*byte)),
            _ => Err(format!(
                "{text:?} cannot be the escape: that is one punctuation mark of ASCII, usually \\, but not the comma; quotes that \
                 are written twice need no option"
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(json: &str) -> Result<ImportOptions, String> {
        serde_json::from_str(json).map_err(|error| error.to_string())
    }

    #[test]
    fn what_is_not_said_is_not_written() {
        assert_eq!(serde_json::to_string(&ImportOptions::default()).unwrap(), "{}");
        let json = r#"{"max_rejects":"0.5%","encoding":"cp932","delimiter":"tab","escape":"\\","map":{"氏名":"name"},"null":"\\N","empty":"null","on_conflict":"update","key":["id"],"dry_run":true,"limit":10,"max_record_bytes":1048576}"#;
        assert_eq!(serde_json::to_string(&parse(json).unwrap()).unwrap(), json);
    }

    #[test]
    fn options_of_earlier_versions_are_understood() {
        let options = parse(r#"{"max_rejects":3,"ignore_unknown":false}"#).unwrap();
        assert_eq!(options, ImportOptions { max_rejects: RejectLimit::Rows(3), ..ImportOptions::default() });
    }

    #[test]
    fn a_limit_is_a_number_or_a_part_of_the_rows() {
        let share = |basis_points| Ok(RejectLimit::Share { basis_points });
        assert_eq!("20".parse(), Ok(RejectLimit::Rows(20)));
        assert_eq!("1%".parse(), share(100));
        assert_eq!("0.5%".parse(), share(50));
        assert_eq!("0.05%".parse(), share(5));
        assert_eq!("100%".parse(), share(10_000));
        for text in ["", "-1", "1.5", "%", "101%", "1.005%", "x%", "+1%", "1e1%"] {
            assert!(text.parse::<RejectLimit>().is_err(), "{text:?}");
        }
        for text in ["7", "1%", "0.5%", "12.34%", "0.05%"] {
            assert_eq!(text.parse::<RejectLimit>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn a_share_is_of_the_rows_that_were_read() {
        let one_percent = RejectLimit::Share { basis_points: 100 };
        assert!(!one_percent.is_exceeded(1, 100));
        assert!(one_percent.is_exceeded(2, 199));
        assert!(one_percent.is_exceeded(1, 99));
        assert!(!RejectLimit::Rows(2).is_exceeded(2, 2));
    }

    #[test]
    fn a_sign_that_is_not_taken_is_told_with_those_that_are() {
        for text in [" ", "\""] {
            let says = text.parse::<Delimiter>().unwrap_err();
            assert!(says.contains("spaces and \" \\ . - + are part of fields"), "{says}");
        }
        let says = "\"".parse::<Escape>().unwrap_err();
        assert!(says.contains("written twice need no option"), "{says}");
    }

    #[test]
    fn a_delimiter_cannot_be_part_of_a_number_or_a_quote() {
        assert_eq!("\\t".parse::<Delimiter>().unwrap().to_string(), "tab");
        for text in ["", "\"", "a", "0", ",,", "、", "\n", ".", "-"] {
            assert!(text.parse::<Delimiter>().is_err(), "{text:?}");
        }
    }
}
