//! What a column of SQLite takes, by its declared type. The type is a mere word: what the column makes of a value is its
//! affinity, which follows from the word. So a word is understood where what the column makes of a value is that value. The
//! table in the README says the same.

use crate::import::value::{DecimalLimits, Kind, Width};

/// Digits that an eight-byte binary fraction keeps of any decimal number.
const EXACT_DIGITS: u16 = 15;

/// Digits behind a second's point: as many as the text is written with.
const SECOND_DIGITS: u8 = 9;

/// What SQLite makes of a value on its way into a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Affinity {
    Integer,
    Text,
    Blob,
    Real,
    Numeric,
}

/// SQLite's own rules, in their order ("Determination Of Column Affinity").
fn affinity(upper: &str) -> Affinity {
    let has = |words: &[&str]| words.iter().any(|word| upper.contains(word));
    if has(&["INT"]) {
        Affinity::Integer
    } else if has(&["CHAR", "CLOB", "TEXT"]) {
        Affinity::Text
    } else if upper.is_empty() || has(&["BLOB"]) {
        Affinity::Blob
    } else if has(&["REAL", "FLOA", "DOUB"]) {
        Affinity::Real
    } else {
        Affinity::Numeric
    }
}

/// What a column of this declared type takes; `None` where the type is not understood.
pub(super) fn kind_of(declared: &str, strict: bool) -> Option<Kind> {
    let upper = declared.to_ascii_uppercase();
    let (word, numbers) = split(&upper);
    let max_characters = numbers.first().copied().filter(|&length| length > 0);
    let text = Kind::Text { max_characters };
    let float = Kind::Float { single: false, special: false };
    if strict && word == "ANY" {
        return Some(text);
    }
    Some(match affinity(&upper) {
        Affinity::Integer if word.contains("INTERVAL") || word == "POINT" => Kind::Opaque,
        Affinity::Integer if word.contains("POINT") => float,
        Affinity::Integer => Kind::Integer(Width::Eight),
        Affinity::Text => text,
        // Without a type nothing is converted: the text stays as it is.
        Affinity::Blob if word.is_empty() => text,
        Affinity::Blob => Kind::Bytes,
        Affinity::Real => float,
        Affinity::Numeric => return numeric(&word, &numbers),
    })
}

/// The types of other databases, and of people's habit. To SQLite all of them are numbers where a value looks like one.
fn numeric(word: &str, numbers: &[u32]) -> Option<Kind> {
    Some(match word {
        "BOOLEAN" | "BOOL" => Kind::Boolean,
        "BIT" if numbers.first().is_none_or(|&length| length == 1) => Kind::Boolean,
        "DATE" => Kind::Date,
        "TIME" | "TIME WITHOUT TIME ZONE" => Kind::Time(SECOND_DIGITS),
        "DATETIME"
        | "DATETIME2"
        | "SMALLDATETIME"
        | "TIMESTAMP"
        | "TIMESTAMP_NTZ"
        | "TIMESTAMP WITHOUT TIME ZONE" => Kind::Timestamp(SECOND_DIGITS),
        "TIMESTAMPTZ"
        | "TIMESTAMPTZSQLITE"
        | "TIMESTAMP_TZ"
        | "TIMESTAMP_LTZ"
        | "DATETIMEOFFSET"
        | "TIMESTAMP WITH TIME ZONE"
        | "TIMESTAMP WITH LOCAL TIME ZONE" => Kind::TimestampZone(SECOND_DIGITS),
        "UUID" | "GUID" | "UNIQUEIDENTIFIER" => Kind::Uuid,
        "JSON" | "JSONB" => Kind::Json,
        "BYTEA" | "BINARY" | "VARBINARY" | "BINARY VARYING" | "RAW" | "LONG RAW" | "IMAGE" => Kind::Bytes,
        "YEAR" | "SERIAL" | "BIGSERIAL" | "SMALLSERIAL" => Kind::Integer(Width::Eight),
        "DECIMAL" | "NUMERIC" | "NUMBER" | "DEC" | "FIXED" | "MONEY" | "SMALLMONEY" | "CURRENCY" => {
            let precision = numbers.first().and_then(|&precision| u16::try_from(precision).ok());
            let scale = numbers.get(1).and_then(|&scale| i16::try_from(scale).ok()).unwrap_or(0);
            Kind::Decimal(DecimalLimits {
                declared: precision.map(|precision| (precision, scale)),
                significant: Some(EXACT_DIGITS),
            })
        }
        // Kept as they are written; one that would become a number is a reject.
        "TIMETZ"
        | "TIME WITH TIME ZONE"
        | "XML"
        | "INET"
        | "CIDR"
        | "MACADDR"
        | "MACADDR8"
        | "HSTORE"
        | "LTREE"
        | "TSVECTOR"
        | "GEOMETRY"
        | "GEOGRAPHY"
        | "POLYGON"
        | "PATH"
        | "BOX"
        | "CIRCLE"
        | "LINE"
        | "LSEG" => Kind::Opaque,
        _ => return None,
    })
}

/// `VARCHAR (20)` is a word and its numbers; white space between two words counts as one blank.
fn split(declared: &str) -> (String, Vec<u32>) {
    let (word, numbers) = match declared.split_once('(') {
        Some((word, rest)) => (word, rest.split(')').next().unwrap_or_default()),
        None => (declared, ""),
    };
    let word = word.split_whitespace().collect::<Vec<_>>().join(" ");
    (word, numbers.split(',').map_while(|number| number.trim().parse().ok()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_declared_type_is_understood_where_the_value_comes_back_as_it_was() {
        let text = |max_characters| Some(Kind::Text { max_characters });
        let float = Some(Kind::Float { single: false, special: false });
        assert_eq!(kind_of("varchar(20)", false), text(Some(20)));
        assert_eq!(kind_of("NVARCHAR2(20)", false), text(Some(20)));
        assert_eq!(kind_of("UNSIGNED BIG INT", false), Some(Kind::Integer(Width::Eight)));
        assert_eq!(kind_of("double precision", false), float);
        assert_eq!(kind_of("floating point", false), float);
        assert_eq!(kind_of("BLOB", true), Some(Kind::Bytes));
        assert_eq!(kind_of("ANY", true), text(None));
        let decimal =
            |declared| Some(Kind::Decimal(DecimalLimits { declared, significant: Some(EXACT_DIGITS) }));
        assert_eq!(kind_of("DECIMAL(10, 2)", false), decimal(Some((10, 2))));
        assert_eq!(kind_of("money", false), decimal(None));
    }

    #[test]
    fn the_types_of_other_databases_are_understood() {
        let is = |declared: &str, kind: Kind| assert_eq!(kind_of(declared, false), Some(kind), "{declared}");
        is("DATETIME2(7)", Kind::Timestamp(SECOND_DIGITS));
        is("timestamp  with time zone", Kind::TimestampZone(SECOND_DIGITS));
        is("DATETIMEOFFSET", Kind::TimestampZone(SECOND_DIGITS));
        is("BIT", Kind::Boolean);
        is("YEAR", Kind::Integer(Width::Eight));
        is("VARBINARY(16)", Kind::Bytes);
        is("UNIQUEIDENTIFIER", Kind::Uuid);
        is("TIMETZ", Kind::Opaque);
        is("XML", Kind::Opaque);
        is("INTERVAL", Kind::Opaque);
        is("POINT", Kind::Opaque);
    }

    #[test]
    fn a_word_that_makes_numbers_of_texts_is_not_understood() {
        for declared in ["STRING", "ANY", "PHONE", "BIT(8)", "VALUE"] {
            assert_eq!(kind_of(declared, false), None, "{declared}");
        }
    }
}
