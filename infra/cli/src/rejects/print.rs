//! Rejects on stdout as they come: lines of a table, or the parts of one JSON document.

use std::collections::HashMap;

use ops::findings;
use ops::rejects::file::{Row, Sink};
use ops::show::picture::ImportPicture;
use ops::text::{aligned_right, visible};
use serde_json::{Value, json};

use crate::output;

/// What is gathered before it is written.
const BUFFER_BYTES: usize = 16 * 1024;

/// A table of two columns.
pub(super) struct AsTable {
    buffer: Buffer,
    digits: usize,
}

/// One JSON document.
pub(super) struct AsJson {
    buffer: Buffer,
    /// Rejects of which more is known than the file says, by their line.
    known: HashMap<String, Value>,
    is_first: bool,
}

#[derive(Default)]
struct Buffer(String);

impl AsTable {
    /// For about so many rows, of which most stand in lines of as many digits.
    pub(super) fn new(rows: u64) -> Self {
        let digits = rows.to_string().len().max(6);
        Self { buffer: Buffer(format!("{}  REASON\n", aligned_right("LINE", digits))), digits }
    }

    pub(super) fn end(mut self) -> anyhow::Result<()> {
        self.buffer.write().map(|_| ())
    }
}

impl Sink for AsTable {
    fn take(&mut self, row: &Row<'_>) -> anyhow::Result<bool> {
        let line = aligned_right(&visible(&row.line()), self.digits);
        self.buffer.add(&format!("{line}  {}\n", visible(&row.reason())))
    }
}

impl AsJson {
    /// For rejects that come from the file.
    pub(super) fn new(import: &ImportPicture) -> anyhow::Result<Self> {
        let found = import.findings.iter().flat_map(|findings| &findings.first_rejects);
        let known = found.map(|reject| Ok((reject.line.to_string(), serde_json::to_value(reject)?)));
        let known = known.collect::<serde_json::Result<_>>()?;
        let head = serde_json::to_string_pretty(&head(import))?;
        let head = head.strip_suffix("\n}").unwrap_or(&head);
        Ok(Self { buffer: Buffer(format!("{head},\n  \"rows\": [")), known, is_first: true })
    }

    /// The document of rejects that are all known without the file.
    pub(super) fn of_known(import: &ImportPicture) -> anyhow::Result<()> {
        let mut document = head(import);
        let known = import.findings.as_ref().map(|findings| &findings.first_rejects);
        document["rows"] = known.map_or_else(|| Ok(json!([])), serde_json::to_value)?;
        output::json(&document)
    }

    pub(super) fn end(mut self) -> anyhow::Result<()> {
        self.buffer.0.push_str(if self.is_first { "]\n}\n" } else { "\n  ]\n}\n" });
        self.buffer.write().map(|_| ())
    }
}

impl Sink for AsJson {
    fn take(&mut self, row: &Row<'_>) -> anyhow::Result<bool> {
        let comma = if std::mem::take(&mut self.is_first) { "" } else { "," };
        let (line, reason) = (row.line(), row.reason());
        let reject = self.known.remove(&*line).unwrap_or_else(|| match line.parse::<u64>() {
            Ok(line) => json!({"line": line, "says": reason}),
            Err(_) => json!({"line": line, "says": reason}),
        });
        self.buffer.add(&format!("{comma}\n    {reject}"))
    }
}

/// The document without its rows.
fn head(import: &ImportPicture) -> Value {
    let findings = import.findings.as_ref();
    json!({
        "import_id": import.id,
        "status": import.status,
        "rejects": findings::rejects_of(import),
        "reasons": findings.map(|findings| &findings.reasons),
        "rejects_file": findings.and_then(|findings| findings.rejects_file.as_ref()),
    })
}

impl Buffer {
    /// `false` where the reader has gone.
    fn add(&mut self, text: &str) -> anyhow::Result<bool> {
        self.0.push_str(text);
        if self.0.len() < BUFFER_BYTES { Ok(true) } else { self.write() }
    }

    fn write(&mut self) -> anyhow::Result<bool> {
        use anyhow::Context as _;
        let written = output::raw(self.0.as_bytes()).context("failed to write to stdout");
        self.0.clear();
        written
    }
}
