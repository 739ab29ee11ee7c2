//! Some fields of a row that is written down already, in the form of a binary COPY: of a row in either form.

use std::borrow::Cow;

use crate::import::form::Form;

/// How a field is carried over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Transport {
    /// Its bytes are a value's of the column it goes to.
    AsItIs,
    /// Behind the version that the form of jsonb begins with.
    WithoutVersion,
    /// As the text that the text form's escapes mean.
    Unescaped,
}

/// Appends a row of the fields at these places, which are sorted, and of a record.
pub(super) fn append(
    out: &mut Vec<u8>,
    form: Form,
    row: &[u8],
    wanted: impl Iterator<Item = (usize, Transport)> + Clone,
    record: u64,
) {
    let count = wanted.clone().count() + 1;
    // At most 1,600 columns: a table has no more.
    out.extend_from_slice(&(count as i16).to_be_bytes());
    match form {
        Form::Text => append_some(
            out,
            row.split(|byte| *byte == b'\t').map(|field| (field != b"\\N").then_some(field)),
            wanted,
        ),
        _ => append_some(out, BinaryFields(row.get(2..).unwrap_or_default()), wanted),
    }
    sized(out, &record.to_be_bytes());
}

fn append_some<'r>(
    out: &mut Vec<u8>,
    fields: impl Iterator<Item = Option<&'r [u8]>>,
    wanted: impl Iterator<Item = (usize, Transport)>,
) {
    let mut fields = fields.enumerate();
    for (place, transport) in wanted {
        let field = fields.find(|(at, _)| *at == place).and_then(|(_, field)| field);
        match (field, transport) {
            (None, _) => out.extend_from_slice(&(-1_i32).to_be_bytes()),
            (Some(field), Transport::AsItIs) => sized(out, field),
            (Some(field), Transport::WithoutVersion) => sized(out, field.get(1..).unwrap_or_default()),
            (Some(field), Transport::Unescaped) => sized(out, &unescaped(field)),
        }
    }
}

fn sized(out: &mut Vec<u8>, value: &[u8]) {
    // A record has fewer bytes than an i32 counts.
    out.extend_from_slice(&(value.len() as i32).to_be_bytes());
    out.extend_from_slice(value);
}

/// The fields of a row in the binary form, behind their number.
struct BinaryFields<'r>(&'r [u8]);

impl<'r> Iterator for BinaryFields<'r> {
    type Item = Option<&'r [u8]>;

    fn next(&mut self) -> Option<Self::Item> {
        let (length, rest) = self.0.split_first_chunk()?;
        let Ok(length) = usize::try_from(i32::from_be_bytes(*length)) else {
            self.0 = rest;
            return Some(None);
        };
        let (field, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        Some(Some(field))
    }
}

/// What the escapes of the text form mean, as far as this program writes them.
fn unescaped(field: &[u8]) -> Cow<'_, [u8]> {
    if !field.contains(&b'\\') {
        return Cow::Borrowed(field);
    }
    let mut text = Vec::with_capacity(field.len());
    let mut bytes = field.iter();
    while let Some(byte) = bytes.next() {
        text.push(match byte {
            b'\\' => match bytes.next() {
                Some(b'n') => b'\n',
                Some(b'r') => b'\r',
                Some(b't') => b'\t',
                Some(other) => *other,
                None => b'\\',
            },
            byte => *byte,
        });
    }
    Cow::Owned(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::form::text;
    use crate::import::value::Value;

    const THE_RECORD: [u8; 12] = [0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 9];

    #[test]
    fn fields_of_the_binary_form_are_found_by_their_places() {
        let row = [0, 4, 0, 0, 0, 1, 7, 0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0, 3, 1, b'{', b'}', 0, 0, 0, 0];
        let mut out = Vec::new();
        let wanted = [(1, Transport::AsItIs), (2, Transport::WithoutVersion), (3, Transport::AsItIs)];
        append(&mut out, Form::Binary, &row, wanted.into_iter(), 9);
        let expected =
            [&[0, 4, 0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0, 2, b'{', b'}', 0, 0, 0, 0][..], &THE_RECORD].concat();
        assert_eq!(out, expected);
    }

    #[test]
    fn fields_of_the_text_form_are_what_they_were_before_they_were_escaped() {
        let (mut row, mut out) = (Vec::new(), Vec::new());
        text::write_row(&mut row, &[Value::Text("a"), Value::Text("\t\\N\r\n\\"), Value::Null]);
        append(
            &mut out,
            Form::Text,
            &row,
            [(1, Transport::Unescaped), (2, Transport::Unescaped)].into_iter(),
            9,
        );
        let expected =
            [&[0, 3, 0, 0, 0, 6][..], b"\t\\N\r\n\\", &[0xFF, 0xFF, 0xFF, 0xFF], &THE_RECORD].concat();
        assert_eq!(out, expected);
    }
}
