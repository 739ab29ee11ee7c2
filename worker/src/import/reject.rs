//! A row that does not fit: where it stands, why, and a sentence for a person.

use std::borrow::Cow;
use std::fmt;

use statemachine::RejectedRow;

use super::csv::Position;
use crate::visible::{in_quotes, visible};

/// The longest value that is told of, in characters.
const VALUE_CHARACTERS: usize = 80;

/// The longest name of a column that is told of, in characters: a database of PostgreSQL has no longer ones.
const COLUMN_CHARACTERS: usize = 64;

/// The longest sentence that a reject has, in characters: a trigger may say anything.
const SAYS_CHARACTERS: usize = 1000;

macro_rules! reasons {
    ($($(#[$doc:meta])* $variant:ident = $code:literal;)*) => {
        /// Why a row is rejected.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub(crate) enum Reason {
            $($(#[$doc])* $variant,)*
        }

        impl Reason {
            const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The code that stands in reports.
            pub(crate) fn code(self) -> &'static str {
                match self { $(Self::$variant => $code,)* }
            }
        }
    };
}

reasons! {
    /// The row has more or fewer fields than the header.
    FieldCount = "field_count";
    /// The row has more bytes than a record may have.
    RecordTooLarge = "record_too_large";
    /// A quoted field goes on behind its closing quote, or a blank stands before its opening quote.
    StrayQuote = "stray_quote";
    /// The column must have a value, and the field is empty.
    Required = "required";
    /// The field is empty, the import reads only another text as NULL, and the column's type has no empty value.
    Empty = "empty";
    /// Bytes that are no character in the file's encoding.
    Undecodable = "undecodable";
    /// A NUL character, which neither database keeps in a text.
    NulCharacter = "nul_character";
    /// No whole number.
    NotAnInteger = "not_an_integer";
    /// No decimal number.
    NotADecimal = "not_a_decimal";
    /// No floating-point number.
    NotANumber = "not_a_number";
    /// None of the words for true and false.
    NotABoolean = "not_a_boolean";
    /// No date.
    NotADate = "not_a_date";
    /// No time of day.
    NotATime = "not_a_time";
    /// No date with a time of day.
    NotATimestamp = "not_a_timestamp";
    /// A point in time without its zone, where the column needs one.
    ZoneMissing = "zone_missing";
    /// A zone other than UTC, where the column would lose it.
    ZoneUnexpected = "zone_unexpected";
    /// No UUID.
    NotAUuid = "not_a_uuid";
    /// No JSON.
    NotJson = "not_json";
    /// No bytes in hexadecimal digits.
    NotHex = "not_hex";
    /// None of the labels of the column's enum.
    NotInEnum = "not_in_enum";
    /// A value that the column's type cannot hold.
    OutOfRange = "out_of_range";
    /// More digits behind the point than the column keeps.
    TooPrecise = "too_precise";
    /// More characters, or bytes, than the column takes.
    TooLong = "too_long";
    /// The row's key is in the table already, or earlier in the file.
    Unique = "unique";
    /// The row refers to a row that is not there.
    ForeignKey = "foreign_key";
    /// The row breaks a check of the table.
    Check = "check";
    /// The row excludes, or is excluded by, another one.
    Exclusion = "exclusion";
    /// The database refuses the row for another reason: a trigger, a type's own rules.
    Refused = "refused";
}

/// Why a value does not fit its column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Misfit {
    /// The reason, for a program.
    pub(crate) reason: Reason,
    /// The reason, for a person: continues a sentence that begins with the value. The usual ones are not made anew for each
    /// of a million rows.
    pub(crate) says: Cow<'static, str>,
}

impl Misfit {
    pub(crate) fn new(reason: Reason, says: impl Into<Cow<'static, str>>) -> Self {
        let says = match says.into() {
            Cow::Owned(says) if says.len() > SAYS_CHARACTERS => cut(says.as_bytes(), SAYS_CHARACTERS).into(),
            says => says,
        };
        Self { reason, says }
    }
}

/// One row that was not loaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reject {
    /// Where the row stands. Of a row that the database refused only the record is known, and the line is 0, until the file
    /// has been read again.
    pub(crate) position: Position,
    /// The column, where the reason lies in one.
    pub(crate) column: Option<String>,
    /// The value, cut. `None` where the reason lies in no value.
    pub(crate) value: Option<String>,
    /// Why.
    pub(crate) misfit: Misfit,
}

impl Reject {
    /// A reject for a value of one column.
    pub(crate) fn of_value(position: Position, column: &str, value: &[u8], misfit: Misfit) -> Self {
        let value = if value.is_empty() { None } else { Some(cut(value, VALUE_CHARACTERS)) };
        Self { position, column: Some(name(column)), value, misfit }
    }

    /// A reject for a row that the database refused; the constraint's column, where it has but one.
    pub(crate) fn of_database(record: u64, column: Option<String>, misfit: Misfit) -> Self {
        let column =
            column.map(|column| if column.len() > COLUMN_CHARACTERS { name(&column) } else { column });
        Self { position: Position { record, line: 0, byte: 0 }, column, value: None, misfit }
    }

    /// Completes a reject of the database with where its row stands, and with the value of its column.
    pub(crate) fn locate(&mut self, position: Position, value: Option<&[u8]>) {
        self.position = position;
        self.value = value.filter(|value| !value.is_empty()).map(|value| cut(value, VALUE_CHARACTERS));
    }

    /// Whether it is known where its row stands.
    pub(crate) fn is_located(&self) -> bool {
        self.position.line != 0
    }

    /// Whether its reason lies in this column.
    pub(crate) fn is_of(&self, column: &str) -> bool {
        self.column.as_ref().is_some_and(|of| *of == name(column))
    }

    /// A reject for a row as a whole.
    pub(crate) fn of_row(position: Position, misfit: Misfit) -> Self {
        Self { position, column: None, value: None, misfit }
    }
}

impl fmt::Display for Reject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.position {
            Position { record, line: 0, .. } => write!(f, "record {record}")?,
            Position { line, .. } => write!(f, "line {line}")?,
        }
        if let Some(column) = &self.column {
            write!(f, ", column {}", visible(column))?;
        }
        f.write_str(": ")?;
        if let Some(value) = &self.value {
            write!(f, "{} ", in_quotes(value))?;
        }
        write!(f, "{} ({})", self.misfit.says, self.misfit.reason.code())
    }
}

impl From<&Reject> for RejectedRow {
    fn from(reject: &Reject) -> Self {
        let Position { record, line, byte } = reject.position;
        Self {
            record,
            line,
            byte,
            column: reject.column.clone(),
            value: reject.value.clone(),
            reason: reject.misfit.reason.code().to_owned(),
            says: reject.misfit.says.to_string(),
        }
    }
}

/// Whether a text ends as each reason in a file of rejects does: with a code in brackets.
pub(crate) fn is_of_rejects_file(reason: &[u8]) -> bool {
    let code = std::str::from_utf8(reason)
        .ok()
        .and_then(|text| text.trim_end().strip_suffix(')')?.rsplit_once(" ("));
    code.is_some_and(|(_, code)| Reason::ALL.iter().any(|reason| reason.code() == code))
}

fn name(column: &str) -> String {
    cut(column.as_bytes(), COLUMN_CHARACTERS)
}

/// The first characters; what is cut is marked.
fn cut(value: &[u8], characters: usize) -> String {
    // No character has more than four bytes, so that a value of a megabyte is not decoded whole.
    let head = value.get(..(characters + 1) * 4).unwrap_or(value);
    let text = String::from_utf8_lossy(head);
    match text.char_indices().nth(characters) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reject(line: u64, value: &[u8]) -> Reject {
        let position = Position { record: line, line, byte: 0 };
        Reject::of_value(position, "age", value, Misfit::new(Reason::NotAnInteger, "is no integer"))
    }

    #[test]
    fn a_reject_says_where_what_and_why() {
        assert_eq!(
            reject(18, b"abc").to_string(),
            r#"line 18, column age: "abc" is no integer (not_an_integer)"#
        );
    }

    #[test]
    fn a_value_is_cut_and_its_control_characters_are_escaped() {
        let text = reject(1, b"a\x1b[31m\"\n\xff").to_string();
        assert!(text.contains(r#""a\u{1b}[31m\"\n"#) && !text.contains('\x1b'), "{text}");
        let long = reject(1, "あ".repeat(500).as_bytes()).value.unwrap();
        assert_eq!(long.chars().count(), 81);
        assert!(long.ends_with('…'));
    }

    #[test]
    fn what_a_database_says_is_cut_and_marked() {
        let says = format!("is refused by the database: {}", "名".repeat(20_000));
        let column = Some("c".repeat(100));
        let reject = Reject::of_database(7, column, Misfit::new(Reason::Refused, says));
        assert!(reject.is_of(&"c".repeat(100)) && !reject.is_located());
        let text = reject.to_string();
        assert!(text.starts_with("record 7, column cc") && text.ends_with("名名… (refused)"), "{text}");
        assert_eq!(text.chars().count(), 1095);
    }

    #[test]
    fn every_reason_stands_in_the_readme() {
        let readme = include_str!("../../README.md");
        for reason in Reason::ALL {
            assert!(readme.contains(&format!("| `{}` |", reason.code())), "{reason:?} is missing");
        }
    }
}
