//! The rejects file in S3: the original rows in their original encoding, with two columns in front, line and reason. It is
//! copied as it is, or read row by row while it comes over the network: never more than one row of it is held.

use std::borrow::Cow;
use std::io::Read;
use std::pin::Pin;

use anyhow::Context as _;
use aws_sdk_s3::primitives::ByteStream;
use statemachine::{Delimiter, Encoding, Escape, Findings, ImportOptions, RecordLimit, Source};
use tokio::io::AsyncRead;
use tokio_util::io::SyncIoBridge;
use worker::import::{Utf8Reader, each_record};

use crate::error::of_aws;

/// The name of the first column, by which a header is told from a row.
const LINE_COLUMN: &str = "baton_line";

/// A rejects file that is there.
pub struct Object {
    source: Source,
    body: ByteStream,
    /// Its size in bytes, where S3 tells it.
    pub size: Option<i64>,
}

/// How the file is written: as the file that was imported.
#[derive(Debug, PartialEq)]
pub struct Format {
    encoding: Encoding,
    delimiter: Delimiter,
    escape: Option<Escape>,
}

/// A row of the file: line, reason, and the row as it stands in the original.
#[derive(Debug)]
pub struct Row<'a>(&'a csv::ByteRecord);

/// Where rows go.
pub trait Sink: Send + 'static {
    /// Takes the names of the columns, where the file has them.
    fn head(&mut self, _head: &Row<'_>) -> anyhow::Result<()> {
        Ok(())
    }

    /// Takes a row; `false` where no more are wanted.
    fn take(&mut self, row: &Row<'_>) -> anyhow::Result<bool>;
}

impl Row<'_> {
    /// The line where it stood in the original.
    pub fn line(&self) -> Cow<'_, str> {
        self.field(0)
    }

    /// Why it was rejected.
    pub fn reason(&self) -> Cow<'_, str> {
        self.field(1)
    }

    /// All fields, line and reason among them.
    pub fn fields(&self) -> impl ExactSizeIterator<Item = Cow<'_, str>> {
        self.0.iter().map(String::from_utf8_lossy)
    }

    /// The fields of the original.
    pub fn original(&self) -> impl Iterator<Item = Cow<'_, str>> {
        self.fields().skip(2)
    }

    fn field(&self, index: usize) -> Cow<'_, str> {
        String::from_utf8_lossy(self.0.get(index).unwrap_or_default())
    }
}

impl Object {
    /// Opens the file; `None` where it is not there any more.
    pub async fn open(target: &crate::target::Target, source: &Source) -> anyhow::Result<Option<Self>> {
        match target.s3.get_object().bucket(&source.bucket).key(&source.key).send().await {
            Ok(object) => {
                Ok(Some(Self { source: source.clone(), size: object.content_length, body: object.body }))
            }
            Err(error) if error.as_service_error().is_some_and(|error| error.is_no_such_key()) => Ok(None),
            Err(error) => Err(of_aws(error)).with_context(|| format!("failed to read {source}")),
        }
    }

    /// The next part of the file as it is; none at its end.
    ///
    /// # Errors
    /// It cannot be read to its end.
    pub async fn next(&mut self) -> anyhow::Result<Option<impl AsRef<[u8]> + use<>>> {
        let next = self.body.next().await.transpose();
        next.with_context(|| format!("failed to read {} to its end", self.source))
    }

    /// The file as it is, byte by byte.
    pub fn into_bytes(self) -> impl AsyncRead + Send + 'static {
        self.body.into_async_read()
    }

    /// Reads the file into the sink, which comes back when it has all that it wants.
    pub async fn read<S: Sink>(self, format: Format, mut sink: S) -> anyhow::Result<S> {
        let Self { source, body, .. } = self;
        let body: Pin<Box<dyn AsyncRead + Send>> = Box::pin(body.into_async_read());
        let bytes = SyncIoBridge::new(body);
        let reading = tokio::task::spawn_blocking(move || {
            read_rows(bytes, &format, &mut sink).with_context(|| format!("failed to read {source}"))?;
            Ok(sink)
        });
        reading.await.context("reading the rejects file broke off")?
    }
}

impl Format {
    /// As the findings tell it, for people and yet exactly; the escape is not found but declared.
    pub fn new(findings: &Findings, options: &ImportOptions) -> Self {
        let named = findings.encoding.as_deref().and_then(|told| told.split_whitespace().next());
        let encoding = named.and_then(|name| name.parse().ok()).unwrap_or(Encoding::Utf8);
        let found = findings.delimiter.as_deref().and_then(|sign| sign.parse().ok()).or(options.delimiter);
        Self { encoding, delimiter: found.unwrap_or(Delimiter::COMMA), escape: options.escape }
    }
}

/// Reads the rows into the sink, until it has all that it wants. A row is what the import took for one.
pub fn read_rows(bytes: impl Read, format: &Format, sink: &mut impl Sink) -> anyhow::Result<()> {
    let options = ImportOptions {
        encoding: Some(Encoding::Utf8),
        delimiter: Some(format.delimiter),
        escape: format.escape,
        no_header: true,
        // With line and reason a record is longer than the import's own may be.
        max_record_bytes: RecordLimit::MOST,
        ..ImportOptions::default()
    };
    let (mut is_first, mut ended) = (true, Ok(()));
    let mut record = csv::ByteRecord::new();
    each_record(Utf8Reader::new(bytes, format.encoding), &options, |fields| {
        record.clear();
        fields.for_each(|field| record.push_field(field));
        let row = Row(&record);
        // A file without a header has rejects without one.
        let taken = match std::mem::take(&mut is_first) && row.line() == LINE_COLUMN {
            true => sink.head(&row).map(|()| true),
            false => sink.take(&row),
        };
        taken.unwrap_or_else(|error| {
            ended = Err(error);
            false
        })
    })?;
    ended
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Sink for Vec<(String, String)> {
        fn take(&mut self, row: &Row<'_>) -> anyhow::Result<bool> {
            self.push((row.line().into_owned(), row.reason().into_owned()));
            Ok(self.len() < 3)
        }
    }

    fn rows(bytes: &[u8], encoding: &str, delimiter: &str, options: &ImportOptions) -> Vec<(String, String)> {
        let findings = Findings {
            encoding: Some(encoding.to_owned()),
            delimiter: Some(delimiter.to_owned()),
            ..Findings::default()
        };
        let mut rows = Vec::new();
        read_rows(bytes, &Format::new(&findings, options), &mut rows).unwrap();
        rows
    }

    fn row(line: &str, reason: &str) -> (String, String) {
        (line.to_owned(), reason.to_owned())
    }

    #[test]
    fn line_and_reason_are_read_in_the_files_own_writing() {
        let file = "baton_line\tbaton_reason\tid\t氏名\n3\t年齢: \"\"表\"\" は整数でない\t1\tソ,表\n";
        let (bytes, ..) = encoding_rs::SHIFT_JIS.encode(file);
        let expected = row("3", "年齢: \"\"表\"\" は整数でない");
        assert_eq!(rows(&bytes, "cp932 (detected)", "tab", &ImportOptions::default()), [expected]);
        let mut utf16 = b"\xff\xfe".to_vec();
        utf16.extend(
            "baton_line;baton_reason;a\r\n7;\"x; y\";1\r\n".encode_utf16().flat_map(u16::to_le_bytes),
        );
        let read = rows(&utf16, "utf-16le (byte order mark)", ";", &ImportOptions::default());
        assert_eq!(read, [row("7", "x; y")]);
    }

    #[test]
    fn a_byte_order_mark_does_not_hide_the_header() {
        let file = "\u{feff}baton_line,baton_reason,a\n2,x,1\n";
        let read = rows(file.as_bytes(), "utf-8 (byte order mark)", ",", &ImportOptions::default());
        assert_eq!(read, [row("2", "x")]);
    }

    #[test]
    fn a_file_without_a_header_and_rows_of_any_length_are_read() {
        let read = rows(b"1,a\n2,b,x,y\n3\n4,d\n", "utf-8", ",", &ImportOptions::default());
        assert_eq!(read, [row("1", "a"), row("2", "b"), row("3", "")], "and no more than are wanted");
    }

    #[test]
    fn an_escaped_quote_does_not_end_a_field() {
        let options = ImportOptions { escape: Some("\\".parse().unwrap()), ..ImportOptions::default() };
        let read = rows(b"baton_line,baton_reason,a\n2,\"say \\\"x\\\", no\",1\n", "utf-8", ",", &options);
        assert_eq!(read, [row("2", "say \"x\", no")]);
    }

    #[test]
    fn an_escape_that_escapes_nothing_and_a_cr_within_a_line_are_part_of_the_row() {
        struct Originals(Vec<String>);
        impl Sink for Originals {
            fn take(&mut self, row: &Row<'_>) -> anyhow::Result<bool> {
                self.0.push(row.original().collect::<Vec<_>>().join("|"));
                Ok(true)
            }
        }
        let options = ImportOptions { escape: Some("\\".parse().unwrap()), ..ImportOptions::default() };
        let file = b"baton_line,baton_reason,id,p\n3,x,2,\"C:\\new\\\\x\\\"q\"\n4,x,4,\"\\N\"\n5,x,a\rb,c\n";
        let mut read = Originals(Vec::new());
        read_rows(&file[..], &Format::new(&Findings::default(), &options), &mut read).unwrap();
        assert_eq!(read.0, ["2|C:\\new\\x\"q", "4|\\N", "a\rb|c"]);
    }

    #[test]
    fn bytes_that_cannot_be_decoded_are_no_obstacle() {
        let read = rows(b"2,a\xff,\x81\n3,b,\xc3\n", "utf-8", ",", &ImportOptions::default());
        assert_eq!(read, [row("2", "a\u{fffd}"), row("3", "b")]);
    }
}
