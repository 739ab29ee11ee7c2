//! UUIDs as PostgreSQL reads them: with or without braces, and with a hyphen behind any group of four digits.

use ::uuid::Uuid;

use crate::import::reject::{Misfit, Reason};

/// A UUID that is not written in one of the usual forms.
#[cold]
pub(super) fn parse(text: &str) -> Result<Uuid, Misfit> {
    read(text.as_bytes()).ok_or_else(|| Misfit::new(Reason::NotAUuid, "is no UUID"))
}

fn read(text: &[u8]) -> Option<Uuid> {
    let mut rest = match text {
        [b'{', inner @ .., b'}'] => inner,
        all => all,
    };
    let mut bytes = [0; 16];
    for (place, byte) in bytes.iter_mut().enumerate() {
        if place > 0 && place % 2 == 0 {
            rest = rest.strip_prefix(b"-").unwrap_or(rest);
        }
        let [high, low, behind @ ..] = rest else { return None };
        let digit = |byte: &u8| char::from(*byte).to_digit(16);
        *byte = u8::try_from(digit(high)? << 4 | digit(low)?).ok()?;
        rest = behind;
    }
    rest.is_empty().then(|| Uuid::from_bytes(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hyphens_may_stand_behind_any_four_digits() {
        let uuid = Uuid::from_u128(0xa0ee_bc99_9c0b_4ef8_bb6d_6bb9_bd38_0a11);
        for text in [
            "{a0eebc999c0b4ef8bb6d6bb9bd380a11}",
            "{A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11}",
            "a0ee-bc99-9c0b-4ef8-bb6d-6bb9-bd38-0a11",
            "a0eebc99-9c0b4ef8-bb6d6bb9-bd380a11",
        ] {
            assert_eq!(parse(text), Ok(uuid), "{text}");
        }
        for text in [
            "{a0eebc999c0b4ef8bb6d6bb9bd380a11",
            "a0eebc999c0b4ef8bb6d6bb9bd380a1",
            "a0eebc999c0b4ef8bb6d6bb9bd380a112",
            "a0e-ebc999c0b4ef8bb6d6bb9bd380a11",
            "-a0eebc999c0b4ef8bb6d6bb9bd380a11",
            "a0eebc999c0b4ef8bb6d6bb9bd380a11-",
            "a0ee--bc999c0b4ef8bb6d6bb9bd380a11",
            "a0eebc999c0b4ef8bb6d6bb9bd380ag1",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
