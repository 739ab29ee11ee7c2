//! What a column of a type of PostgreSQL takes. Types whose values are checked here are known by name; an enum by its
//! labels; any other is text that the server reads.

use std::sync::Arc;

use crate::import::value::{DecimalLimits, Kind, Labels, Width};

/// Digits behind a second's point where the type names none: microseconds.
const SECOND_DIGITS: u8 = 6;

/// What a column of this type takes. The modifier is the type's own encoding of lengths; -1 where there is none.
pub(super) fn of(base: &str, is_builtin: bool, modifier: i32, labels: Option<Vec<String>>) -> Kind {
    // A modifier counts the four bytes of the value's length header with it.
    let length = modifier.checked_sub(4).filter(|&length| length >= 0);
    let digits = u8::try_from(modifier).unwrap_or(SECOND_DIGITS);
    if let Some(labels) = labels {
        return Kind::Enum(Arc::new(Labels::new(labels)));
    }
    if !is_builtin {
        // Of an extension; its binary form is text's.
        return if base == "citext" { Kind::Text { max_characters: None } } else { Kind::Opaque };
    }
    match base {
        "bool" => Kind::Boolean,
        "int2" => Kind::Integer(Width::Two),
        "int4" => Kind::Integer(Width::Four),
        "int8" => Kind::Integer(Width::Eight),
        "float4" => Kind::Float { single: true, special: true },
        "float8" => Kind::Float { single: false, special: true },
        "numeric" => Kind::Decimal(DecimalLimits { declared: length.map(numeric_limits), significant: None }),
        "text" => Kind::Text { max_characters: None },
        "varchar" | "bpchar" => {
            Kind::Text { max_characters: length.and_then(|length| u32::try_from(length).ok()) }
        }
        "date" => Kind::Date,
        "time" => Kind::Time(digits),
        "timestamp" => Kind::Timestamp(digits),
        "timestamptz" => Kind::TimestampZone(digits),
        "uuid" => Kind::Uuid,
        "json" => Kind::Json,
        "jsonb" => Kind::Jsonb,
        "bytea" => Kind::Bytes,
        _ => Kind::Opaque,
    }
}

/// Precision in the upper half, scale in the lower eleven bits, with a sign since PostgreSQL 15.
fn numeric_limits(modifier: i32) -> (u16, i16) {
    let precision = (modifier >> 16) & 0xFFFF;
    let scale = ((modifier & 0x7FF) ^ 0x400) - 0x400;
    (u16::try_from(precision).unwrap_or(u16::MAX), i16::try_from(scale).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn builtin(base: &str, modifier: i32) -> Kind {
        of(base, true, modifier, None)
    }

    #[test]
    fn modifiers_are_read_as_the_server_writes_them() {
        let decimal = |modifier| match builtin("numeric", modifier) {
            Kind::Decimal(limits) => limits.declared,
            other => panic!("{other:?}"),
        };
        assert_eq!(decimal((10 << 16 | 2) + 4), Some((10, 2)));
        assert_eq!(decimal((2 << 16 | (0x7FF & -2)) + 4), Some((2, -2)));
        assert_eq!(decimal(-1), None);
        assert_eq!(builtin("varchar", 24), Kind::Text { max_characters: Some(20) });
        assert_eq!(builtin("text", -1), Kind::Text { max_characters: None });
        assert_eq!(builtin("timestamp", 0), Kind::Timestamp(0));
        assert_eq!(builtin("timestamptz", -1), Kind::TimestampZone(6));
    }

    #[test]
    fn a_type_that_is_not_known_is_text_for_the_server() {
        assert_eq!(builtin("int4range", -1), Kind::Opaque);
        assert_eq!(of("int4", false, -1, None), Kind::Opaque);
        assert_eq!(of("citext", false, -1, None), Kind::Text { max_characters: None });
    }
}
