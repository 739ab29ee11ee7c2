//! UTF-16 without a byte order mark.

use statemachine::Encoding;

/// Which UTF-16 a file without a mark is, told from its beginning: every character of ASCII has a NUL beside it there,
/// and elsewhere a NUL is hardly found.
pub(in super::super) fn utf16(head: &[u8]) -> Option<Encoding> {
    let (mut pairs, mut little, mut big, mut structure, mut paired) =
        (0, Sides::default(), Sides::default(), 0, 0);
    let (units, _) = head.as_chunks::<2>();
    for unit in units {
        pairs += 1;
        structure += unit.iter().filter(|byte| is_structure(**byte)).count();
        match *unit {
            [0, 0] => return None,
            [byte, 0] => little.add(byte),
            [0, byte] => big.add(byte),
            _ => {}
        }
    }
    let (encoding, side, other) = if little.text >= big.text {
        (Encoding::Utf16Le, little, big)
    } else {
        (Encoding::Utf16Be, big, little)
    };
    paired += side.structure;
    let is_western = side.text > 0 && other.text == 0 && side.text * 3 >= pairs * 2;
    let is_structured = paired >= 2 && paired * 2 >= structure && side.text > other.text;
    (is_western || is_structured).then_some(encoding)
}

/// Characters with a NUL at one of their sides.
#[derive(Default)]
struct Sides {
    text: usize,
    structure: usize,
}

impl Sides {
    fn add(&mut self, byte: u8) {
        self.text += usize::from(matches!(byte, b'\t' | b'\n' | b'\r' | b' '..=b'~'));
        self.structure += usize::from(is_structure(byte));
    }
}

fn is_structure(byte: u8) -> bool {
    matches!(byte, b'\t' | b'\n' | b'\r' | b'"' | b',' | b';' | b'|')
}
