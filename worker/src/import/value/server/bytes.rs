//! Bytes that are not `\x` and pairs of digits without anything between them: hexadecimal digits with white space between the
//! pairs, and the escape form, in which a byte is itself, `\\` or a backslash and three octal digits.

/// The bytes of either form. `None` where it is neither. A character that is not ASCII would be other bytes in databases of
/// other encodings, and the server takes no NUL.
pub(in crate::import::value) fn parse_bytes(text: &str) -> Option<Vec<u8>> {
    match text.strip_prefix("\\x") {
        Some(digits) => spaced_hex(digits),
        None => escaped(text),
    }
}

fn spaced_hex(digits: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(digits.len() / 2);
    let mut rest = digits.as_bytes();
    loop {
        rest = match *rest {
            [] => return Some(bytes),
            [b' ' | b'\n' | b'\t' | b'\r', ref rest @ ..] => rest,
            [high, low, ref rest @ ..] => {
                let digit =
                    |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
                bytes.push(digit(high)? << 4 | digit(low)?);
                rest
            }
            [_] => return None,
        };
    }
}

fn escaped(text: &str) -> Option<Vec<u8>> {
    if !text.is_ascii() || text.contains('\0') {
        return None;
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    loop {
        rest = match *rest {
            [] => return Some(bytes),
            [b'\\', b'\\', ref rest @ ..] => {
                bytes.push(b'\\');
                rest
            }
            [b'\\', high @ b'0'..=b'3', middle @ b'0'..=b'7', low @ b'0'..=b'7', ref rest @ ..] => {
                bytes.push((high - b'0') << 6 | (middle - b'0') << 3 | (low - b'0'));
                rest
            }
            [b'\\', ..] => return None,
            [byte, ref rest @ ..] => {
                bytes.push(byte);
                rest
            }
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_are_read_as_the_server_reads_them() {
        for (text, bytes) in [
            (r"\x 12 34", &b"\x12\x34"[..]),
            ("\\x12\n34\t", b"\x12\x34"),
            (r"\x", b""),
            ("", b""),
            (r"a\\b\001\377 ", b"a\\b\x01\xFF "),
            ("00ff", b"00ff"),
            ("a\nb", b"a\nb"),
        ] {
            assert_eq!(parse_bytes(text).as_deref(), Some(bytes), "{text:?}");
        }
        for text in [r"\x1", r"\x1 2", r"\xzz", r"\", r"\400", r"\08", r"a\b", "\u{e9}", r"\X00"] {
            assert_eq!(parse_bytes(text), None, "{text:?}");
        }
    }
}
