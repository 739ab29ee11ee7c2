//! The progress channel: a FIFO that the program writes lines of JSON to, and that is kept open at both ends here. So the
//! program's open never waits, `>` is as good as `>>`, lines of up to 4 KiB from several processes do not mix, nothing
//! fills a disk, and nobody waits for a process that holds the channel open after the program's end.

use std::fs::{File, OpenOptions, Permissions};
use std::io::{self, ErrorKind, Read};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

use memchr::memchr;
use rustix::fs::{CWD, FileType, Mode, OFlags, mknodat};
use serde_json::Value;
use tracing::warn;

/// The longest line. A longer one is a mistake of the program, which must cost no memory.
const LINE_LIMIT: usize = 16 * 1024;

/// The longest text of a report, in characters: what fits into a line of a list.
const TEXT_LIMIT: usize = 500;

/// How much is read at a time.
const CHUNK: usize = 64 * 1024;

/// What a program reports of its progress. Each report changes only what it names; `null` clears.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// How much is done, in `unit`.
    pub done: Option<u64>,
    /// How much there is to do, in `unit`.
    pub total: Option<u64>,
    /// What is counted, such as `rows`.
    pub unit: Option<String>,
    /// What the program does now, for a person.
    pub note: Option<String>,
}

/// What came in since the last look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Seen {
    /// A report came.
    pub(crate) report: bool,
    /// A `done` was greater than the one before. A smaller one is a new phase, from which on it grows again.
    pub(crate) done_grew: bool,
}

/// Our end of the channel.
#[derive(Debug)]
pub(crate) struct Channel {
    fifo: File,
    reports: Reports,
    chunk: Vec<u8>,
}

impl Channel {
    /// Makes the channel at this path, for whoever the program becomes.
    pub(crate) fn make(path: &Path) -> io::Result<Self> {
        mknodat(CWD, path, FileType::Fifo, Mode::from_raw_mode(0o600), 0)?;
        std::fs::set_permissions(path, Permissions::from_mode(0o666))?;
        let flags = i32::try_from(OFlags::NONBLOCK.bits()).unwrap_or_default();
        let fifo = OpenOptions::new().read(true).write(true).custom_flags(flags).open(path)?;
        Ok(Self { fifo, reports: Reports::default(), chunk: vec![0; CHUNK] })
    }

    /// Reads what is there, but no more than a chunk: there is more to look after than a program that never ends to write.
    pub(crate) fn read(&mut self) -> Seen {
        match self.fifo.read(&mut self.chunk) {
            Ok(read) => self.reports.feed(self.chunk.get(..read).unwrap_or_default()),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {
                Seen::default()
            }
            Err(error) => {
                warn!(%error, "Could not read the progress channel");
                Seen::default()
            }
        }
    }

    /// Reads what is left after the program's end: what fits into a pipe, and a last line that has no end.
    pub(crate) fn finish(&mut self) -> Seen {
        let mut all = Seen::default();
        // A FIFO holds 64 KiB, or 1 MiB where the program has enlarged it.
        for _ in 0..16 {
            let seen = self.read();
            all.report |= seen.report;
            all.done_grew |= seen.done_grew;
        }
        let last = self.reports.end();
        Seen { report: all.report || last.report, done_grew: all.done_grew || last.done_grew }
    }

    /// Shows a `STATUS=` of sd_notify as the note.
    pub(crate) fn set_note(&mut self, note: &str) {
        self.reports.current.note = Some(clipped(note));
        self.reports.has_any = true;
    }

    /// The last progress; none where the program reported none.
    pub(crate) fn current(&self) -> Option<&Progress> {
        self.reports.has_any.then_some(&self.reports.current)
    }

    /// How many lines were no reports.
    pub(crate) fn bad_lines(&self) -> u64 {
        self.reports.bad_lines
    }
}

impl AsFd for Channel {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fifo.as_fd()
    }
}

/// Reports out of bytes, whatever pieces they come in.
#[derive(Debug, Default)]
struct Reports {
    current: Progress,
    has_any: bool,
    bad_lines: u64,
    line: Vec<u8>,
    /// The line is too long: the rest of it is skipped.
    is_skipping: bool,
}

impl Reports {
    fn feed(&mut self, mut bytes: &[u8]) -> Seen {
        let mut seen = Seen::default();
        while let Some(end) = memchr(b'\n', bytes) {
            let (line, rest) = bytes.split_at(end);
            self.append(line);
            self.end_line(&mut seen);
            bytes = rest.get(1..).unwrap_or_default();
        }
        self.append(bytes);
        seen
    }

    /// Takes what is left as a line, where it is one: a program that was killed in the middle of it is not at fault.
    fn end(&mut self) -> Seen {
        let mut seen = Seen::default();
        let bad_lines = self.bad_lines;
        self.end_line(&mut seen);
        self.bad_lines = bad_lines;
        seen
    }

    fn append(&mut self, bytes: &[u8]) {
        self.is_skipping |= self.line.len() + bytes.len() > LINE_LIMIT;
        if self.is_skipping {
            self.line.clear();
        } else {
            self.line.extend_from_slice(bytes);
        }
    }

    fn end_line(&mut self, seen: &mut Seen) {
        let line = std::mem::take(&mut self.line);
        let is_skipping = std::mem::take(&mut self.is_skipping);
        if !is_skipping && line.trim_ascii().is_empty() {
            return;
        }
        let report = if is_skipping { None } else { parse(&line, &self.current) };
        if let Some(progress) = report {
            seen.report = true;
            // What was never reported is nothing done: a program that only says `{"done": 0}` has not got on yet.
            seen.done_grew |= progress.done > self.current.done.or(Some(0));
            self.current = progress;
            self.has_any = true;
        } else {
            if self.bad_lines == 0 {
                warn!(
                    "A line on the progress channel is not a report such as {{\"done\": 3, \"total\": 9, \"unit\": \
                     \"rows\", \"note\": \"…\"}} in at most {LINE_LIMIT} bytes; such lines are ignored"
                );
            }
            self.bad_lines += 1;
        }
    }
}

/// The progress after this line; none where it is no report.
fn parse(line: &[u8], before: &Progress) -> Option<Progress> {
    let Ok(Value::Object(report)) = serde_json::from_slice(line) else {
        return None;
    };
    let number = |name: &str, before: Option<u64>| match report.get(name) {
        None => Some(before),
        Some(Value::Null) => Some(None),
        Some(value) => whole(value).map(Some),
    };
    let text = |name: &str, before: &Option<String>| match report.get(name) {
        None => Some(before.clone()),
        Some(Value::Null) => Some(None),
        Some(value) => value.as_str().map(|text| Some(clipped(text))),
    };
    Some(Progress {
        done: number("done", before.done)?,
        total: number("total", before.total)?,
        unit: text("unit", &before.unit)?,
        note: text("note", &before.note)?,
    })
}

/// A whole number that is not negative, also where the language writes `12.0`.
fn whole(value: &Value) -> Option<u64> {
    let float = || value.as_f64().filter(|number| number.fract() == 0.0 && (0.0..=9e15).contains(number));
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "whole, and from 0 to 2^53")]
    value.as_u64().or_else(|| float().map(|number| number as u64))
}

fn clipped(text: &str) -> String {
    match text.char_indices().nth(TEXT_LIMIT) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn fed(bytes: &[u8]) -> (Reports, Seen) {
        let mut reports = Reports::default();
        let seen = reports.feed(bytes);
        (reports, seen)
    }

    fn done_grew(bytes: &str) -> bool {
        fed(bytes.as_bytes()).1.done_grew
    }

    #[test]
    fn a_report_changes_only_what_it_names() {
        let (reports, _) =
            fed(b"{\"done\":1,\"total\":9,\"unit\":\"rows\",\"note\":\"a\"}\n{\"done\":2.0,\"note\":null}\n");
        let unit = Some("rows".to_owned());
        assert_eq!(reports.current, Progress { done: Some(2), total: Some(9), unit, note: None });
    }

    #[test]
    fn done_grows_from_nothing_and_from_the_start_of_a_phase() {
        assert!(!done_grew("{\"done\":0}\n"));
        assert!(done_grew("{\"done\":1}\n"));
        assert!(!done_grew("{\"note\":\"x\"}\n"));
        let (mut reports, _) = fed(b"{\"done\":9}\n");
        assert!(!reports.feed(b"{\"done\":9}\n").done_grew, "the same");
        assert!(!reports.feed(b"{\"done\":0}\n").done_grew, "a new phase");
        assert!(reports.feed(b"{\"done\":1}\n").done_grew, "the phase gets on");
    }

    #[test]
    fn lines_that_are_no_reports_are_counted_and_change_nothing() {
        for bad in
            ["x", "[1]", "{\"done\":-1}", "{\"done\":0.5}", "{\"done\":\"1\"}", "{\"note\":1}", "{\"done\":1"]
        {
            let (reports, seen) = fed(format!("{bad}\n").as_bytes());
            assert_eq!((reports.bad_lines, seen, reports.has_any), (1, Seen::default(), false), "{bad}");
        }
        assert_eq!(fed(b"\n\r\n \n").0.bad_lines, 0, "empty lines");
    }

    #[test]
    fn a_last_line_without_its_end_counts_where_it_is_whole() {
        let (mut reports, seen) = fed(b"{\"done\":1}");
        assert!(!seen.report);
        assert!(reports.end().done_grew);
        let (mut reports, _) = fed(b"{\"done\":");
        assert!(!reports.end().report);
        assert_eq!(reports.bad_lines, 0, "killed in the middle of it");
    }

    #[test]
    fn a_long_note_is_clipped_and_says_so() {
        let (reports, _) = fed(format!("{{\"note\":\"{}\"}}\n", "ä".repeat(600)).as_bytes());
        let note = reports.current.note.unwrap();
        assert_eq!((note.chars().count(), note.chars().last()), (TEXT_LIMIT + 1, Some('…')));
    }

    proptest! {
        #[test]
        fn the_pieces_do_not_matter(
            lines in prop::collection::vec(
                prop_oneof![
                    "\\{\"done\":[0-9]{1,3}\\}",
                    "\\{\"note\":\"[a-z]{0,9}\"\\}",
                    ".{0,40}",
                    Just("x".repeat(LINE_LIMIT + 1)),
                ],
                0..12,
            ),
            cut in 1_usize..5000,
        ) {
            let bytes = lines.join("\n").into_bytes();
            let (whole, seen) = fed(&bytes);
            let mut pieces = Reports::default();
            let mut seen_in_pieces = Seen::default();
            for piece in bytes.chunks(cut) {
                let seen = pieces.feed(piece);
                seen_in_pieces.report |= seen.report;
                seen_in_pieces.done_grew |= seen.done_grew;
                prop_assert!(pieces.line.len() <= LINE_LIMIT);
            }
            prop_assert_eq!(seen, seen_in_pieces);
            prop_assert_eq!(whole.current, pieces.current);
            prop_assert_eq!(whole.bad_lines, pieces.bad_lines);
        }
    }
}
