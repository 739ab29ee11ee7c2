//! A file as somebody might write it: in one of the encodings, with some delimiter, line end, marker of NULL, with or without
//! quotes. The import is told how it is written; what is guessed is tested elsewhere.

use encoding_rs::{EUC_JP, Encoding, SHIFT_JIS, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};
use serde_json::{Value, json};

use crate::normal::Marker;
use crate::random::Random;

/// A character that stands for bytes that are none in the file's encoding.
pub(crate) const BROKEN: char = '\u{F8FF}';

/// How a file is written.
#[derive(Clone, Debug)]
pub(crate) struct Dialect {
    encoding: &'static Encoding,
    name: &'static str,
    has_mark: bool,
    delimiter: char,
    line_end: &'static str,
    has_escape: bool,
    pub(crate) marker: Marker,
    /// How many fields of a hundred have quotes that they do not need.
    quotes: usize,
}

/// A field.
#[derive(Clone, Debug)]
pub(crate) struct Field {
    pub(crate) text: String,
    pub(crate) quoted: bool,
}

impl Dialect {
    pub(crate) fn any(random: &mut Random) -> Self {
        let (encoding, name) = *random.pick(&[
            (UTF_8, "utf-8"),
            (UTF_8, "utf-8"),
            (UTF_8, "utf-8"),
            (UTF_8, "utf-8"),
            (SHIFT_JIS, "cp932"),
            (EUC_JP, "euc-jp"),
            (UTF_16LE, "utf-16le"),
            (UTF_16BE, "utf-16be"),
            (WINDOWS_1252, "windows-1252"),
        ]);
        let is_unicode = name.starts_with("utf");
        Self {
            encoding,
            name,
            has_mark: is_unicode && random.percent(30),
            delimiter: *random.pick(&[',', ',', ';', '\t', '|']),
            line_end: *random.pick(&["\n", "\n", "\r\n"]),
            has_escape: random.percent(15),
            marker: if random.percent(25) { Some("\\N") } else { None },
            quotes: *random.pick(&[0, 20, 100]),
        }
    }

    /// What the import is told of it, beside other options.
    pub(crate) fn options(&self) -> Value {
        let delimiter = if self.delimiter == '\t' { "tab".to_owned() } else { self.delimiter.to_string() };
        let mut options = json!({"encoding": self.name, "delimiter": delimiter, "max_rejects": "100%"});
        if self.has_escape {
            options["escape"] = "\\".into();
        }
        if let Some(marker) = self.marker {
            options["null"] = marker.into();
        }
        options
    }

    /// A text as a field, where the encoding has all its characters.
    pub(crate) fn field(&self, text: &str, random: &mut Random) -> Option<Field> {
        let kept = text.replace(BROKEN, "");
        let has_all = kept.is_empty() || self.decode(&self.encode(&kept)?) == kept;
        if !has_all || (text.contains(BROKEN) && self.name == "windows-1252") {
            return None;
        }
        let needs = text.contains(['"', '\r', '\n', self.delimiter]);
        Some(Field { text: text.to_owned(), quoted: needs || random.percent(self.quotes) })
    }

    /// The field that is NULL.
    pub(crate) fn null(&self) -> Field {
        Field { text: self.marker.unwrap_or_default().to_owned(), quoted: false }
    }

    /// The bytes of a file of these records.
    pub(crate) fn write(&self, records: impl Iterator<Item = Vec<Field>>) -> Vec<u8> {
        let mut text = String::new();
        if self.has_mark {
            text.push('\u{FEFF}');
        }
        for record in records {
            for (index, field) in record.iter().enumerate() {
                if index > 0 {
                    text.push(self.delimiter);
                }
                self.push(&mut text, field);
            }
            text.push_str(self.line_end);
        }
        let mut bytes = Vec::new();
        for (index, piece) in text.split(BROKEN).enumerate() {
            if index > 0 {
                bytes.extend_from_slice(self.broken());
            }
            bytes.extend(self.encode(piece).unwrap());
        }
        bytes
    }

    fn push(&self, text: &mut String, field: &Field) {
        if !field.quoted {
            text.push_str(&field.text);
            return;
        }
        let inner = if self.has_escape {
            field.text.replace('\\', "\\\\").replace('"', "\\\"")
        } else {
            field.text.replace('"', "\"\"")
        };
        text.push('"');
        text.push_str(&inner);
        text.push('"');
    }

    /// The records of a file that the worker has written in the same way.
    pub(crate) fn read(&self, bytes: &[u8]) -> Vec<Vec<String>> {
        let text = self.decode(bytes);
        let mut builder = csv::ReaderBuilder::new();
        builder.has_headers(false).flexible(true).delimiter(self.delimiter as u8);
        if self.has_escape {
            builder.double_quote(false).escape(Some(b'\\'));
        }
        let mut reader = builder.from_reader(text.trim_start_matches('\u{FEFF}').as_bytes());
        reader.records().map(|record| record.unwrap().iter().map(str::to_owned).collect()).collect()
    }

    fn encode(&self, text: &str) -> Option<Vec<u8>> {
        if self.name == "utf-16le" {
            return Some(text.encode_utf16().flat_map(u16::to_le_bytes).collect());
        }
        if self.name == "utf-16be" {
            return Some(text.encode_utf16().flat_map(u16::to_be_bytes).collect());
        }
        let (bytes, _, has_unmappable) = self.encoding.encode(text);
        (!has_unmappable).then(|| bytes.into_owned())
    }

    fn decode(&self, bytes: &[u8]) -> String {
        self.encoding.decode_without_bom_handling(bytes).0.into_owned()
    }

    /// Bytes that are no character: half of a pair in UTF-16.
    fn broken(&self) -> &'static [u8] {
        match self.name {
            "utf-16le" => &[0x00, 0xD8],
            "utf-16be" => &[0xD8, 0x00],
            _ => &[0xFF],
        }
    }
}
