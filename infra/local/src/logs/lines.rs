//! The lines of a file, a stretch of it at a time, forwards or backwards: a file of any size takes little memory. A line is
//! an event; one that is longer than an event may be is several, and an empty one is none, as the `awslogs` driver has it.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::time::{Duration, SystemTime};

use chrono::DateTime;
use serde::Deserialize;

use super::streams::Stream;

/// The most bytes of an event's message (`PutLogEvents` takes 256 KiB with 26 bytes of its own).
pub(super) const MAX_EVENT: usize = 256 * 1024 - 26;
/// How long the beginning of a line waits for the rest of it. `awslogs` sends what it has every five seconds.
const SETTLING: Duration = Duration::from_secs(5);
/// How far the time of a line that has none is looked for in the lines before it, in bytes.
const LOOK_BACK: usize = 64 * 1024;

/// An event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line {
    /// Where it begins in the file, and where what follows it begins.
    pub(super) begin: u64,
    pub(super) end: u64,
    /// In milliseconds since 1970.
    pub(super) at_ms: i64,
    pub(super) text: String,
}

/// Some lines that follow each other.
pub(super) struct Stretch {
    pub(super) lines: Vec<Line>,
    /// What was looked at: the lines before `from` and from `to` on were not.
    pub(super) from: u64,
    pub(super) to: u64,
}

/// A stream's file, open.
pub(super) struct Lines {
    file: File,
    created_ms: i64,
}

impl Lines {
    pub(super) fn of(stream: &Stream) -> io::Result<Self> {
        Ok(Self { file: stream.open()?, created_ms: stream.created_ms })
    }

    /// The lines from an offset on, in about `window` bytes. `to` is `from` where there are none, yet.
    pub(super) fn forward(&self, from: u64, window: usize) -> io::Result<Stretch> {
        // Taken before the bytes are: what has not changed for a while by then will not.
        let is_settled = self.is_settled()?;
        let mut window = window;
        loop {
            let bytes = self.read(from, window)?;
            let is_at_end = bytes.len() < window;
            let length = whole_lines(&bytes, is_at_end && is_settled);
            if length > 0 || is_at_end || window > MAX_EVENT {
                return self.stretch(from, &bytes[..length]);
            }
            window *= 2;
        }
    }

    /// The lines before an offset, in about `window` bytes; of the whole file where none is given.
    pub(super) fn backward(&self, to: Option<u64>, window: usize) -> io::Result<Stretch> {
        let is_settled = self.is_settled()?;
        let length = self.file.metadata()?.len();
        let to = to.unwrap_or(length).min(length);
        let from = to.saturating_sub(window as u64);
        let bytes = self.read(from, usize::try_from(to - from).unwrap_or(window))?;
        // Where the window begins in the middle of a line, that line is left to the next.
        let skipped = match bytes.iter().position(|byte| *byte == b'\n') {
            Some(position) if from > 0 && position + 1 < bytes.len() => position + 1,
            _ => 0,
        };
        let bytes = &bytes[skipped..];
        // What stands before an offset was whole when the offset was given out.
        let length = whole_lines(bytes, to < length || is_settled);
        self.stretch(from + skipped as u64, &bytes[..length])
    }

    fn stretch(&self, from: u64, bytes: &[u8]) -> io::Result<Stretch> {
        let mut lines = Vec::new();
        let mut begin = from;
        let mut last = None;
        for line in bytes.split_inclusive(|byte| *byte == b'\n') {
            let text = line.strip_suffix(b"\n").unwrap_or(line);
            let mut rest = text;
            while !rest.is_empty() {
                let piece = &rest[..piece_of(rest)];
                rest = &rest[piece.len()..];
                let length =
                    if rest.is_empty() { piece.len() + line.len() - text.len() } else { piece.len() };
                let text = String::from_utf8_lossy(piece).into_owned();
                let at_ms = match time_of(&text).or(last) {
                    Some(at_ms) => at_ms,
                    None => self.time_before(from)?,
                };
                last = Some(at_ms);
                let end = begin + length as u64;
                lines.push(Line { begin, end, at_ms, text });
                begin = end;
            }
            if text.is_empty() {
                begin += line.len() as u64;
            }
        }
        Ok(Stretch { lines, from, to: begin })
    }

    /// The time of the last line before `offset` that has one.
    fn time_before(&self, offset: u64) -> io::Result<i64> {
        let from = offset.saturating_sub(LOOK_BACK as u64);
        let bytes = self.read(from, usize::try_from(offset - from).unwrap_or(LOOK_BACK))?;
        let mut lines = bytes.split(|byte| *byte == b'\n').rev();
        let found = lines.find_map(|line| time_of(&String::from_utf8_lossy(line)));
        Ok(found.unwrap_or(self.created_ms))
    }

    fn is_settled(&self) -> io::Result<bool> {
        let modified = self.file.metadata()?.modified()?;
        Ok(SystemTime::now().duration_since(modified).is_ok_and(|age| age >= SETTLING))
    }

    /// At most `length` bytes from `offset` on; fewer only at the file's end.
    fn read(&self, offset: u64, length: usize) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; length];
        let mut filled = 0;
        while filled < length {
            match self.file.read_at(&mut bytes[filled..], offset + filled as u64) {
                Ok(0) => break,
                Ok(read) => filled += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        bytes.truncate(filled);
        Ok(bytes)
    }
}

/// How many of the bytes are lines, or events of a line that is longer than one; all of them where no more will come.
fn whole_lines(bytes: &[u8], is_whole: bool) -> usize {
    if is_whole {
        return bytes.len();
    }
    let lines = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |position| position + 1);
    let mut whole = lines;
    while bytes.len() - whole > MAX_EVENT {
        whole += piece_of(&bytes[whole..]);
    }
    whole
}

/// The length of the first event of a line; no character is cut in two.
fn piece_of(line: &[u8]) -> usize {
    if line.len() <= MAX_EVENT {
        return line.len();
    }
    let is_start = |byte: &u8| byte & 0xc0 != 0x80;
    let back = line[..=MAX_EVENT].iter().rev().take(4).position(is_start).unwrap_or(0);
    MAX_EVENT - back
}

/// The time that the worker has written into its line, as JSON or in front of the text.
fn time_of(text: &str) -> Option<i64> {
    #[derive(Deserialize)]
    struct Stamped<'a> {
        #[serde(borrow)]
        timestamp: &'a str,
    }
    let stamp = if text.starts_with('{') {
        serde_json::from_str::<Stamped<'_>>(text).ok()?.timestamp
    } else {
        text.split_whitespace().next()?
    };
    Some(DateTime::parse_from_rfc3339(stamp).ok()?.timestamp_millis())
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn lines(bytes: &[u8]) -> (tempfile::NamedTempFile, Lines) {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(bytes).unwrap();
        let lines = Lines { file: file.reopen().unwrap(), created_ms: 7 };
        (file, lines)
    }

    fn settle(file: &tempfile::NamedTempFile) {
        file.as_file().set_modified(SystemTime::now() - SETTLING).unwrap();
    }

    fn texts(stretch: &Stretch) -> Vec<&str> {
        stretch.lines.iter().map(|line| line.text.as_str()).collect()
    }

    #[test]
    fn a_line_without_a_time_has_that_of_the_line_before_it() {
        let text = "panic\n{\"timestamp\":\"1970-01-01T00:00:01.5Z\",\"level\":\"INFO\"}\n\nplain\n\
            1970-01-01T00:00:02Z  INFO text\nlast\n";
        let (_file, lines) = lines(text.as_bytes());
        let all = lines.forward(0, 1024).unwrap();
        let times: Vec<_> = all.lines.iter().map(|line| line.at_ms).collect();
        assert_eq!(times, [7, 1500, 1500, 2000, 2000], "and the empty line is no event");
        assert_eq!(all.to, text.len() as u64);
        // Read on in the middle, it is the same.
        let on = lines.forward(all.lines[2].begin, 1024).unwrap();
        assert_eq!(on.lines, all.lines[2..]);
    }

    #[test]
    fn forwards_and_backwards_windows_give_the_same_lines() {
        let text: String = (0..500).map(|number| format!("line {number} 漢字\n")).collect();
        let (_file, lines) = lines(text.as_bytes());
        let (mut forwards, mut from) = (Vec::new(), 0);
        loop {
            let stretch = lines.forward(from, 100).unwrap();
            if stretch.to == from {
                break;
            }
            from = stretch.to;
            forwards.extend(stretch.lines);
        }
        let (mut backwards, mut to) = (Vec::new(), None);
        while to != Some(0) {
            let stretch = lines.backward(to, 100).unwrap();
            to = Some(stretch.from);
            backwards.extend(stretch.lines.into_iter().rev());
        }
        backwards.reverse();
        assert_eq!(forwards.len(), 500);
        assert_eq!(forwards, backwards);
    }

    #[test]
    fn the_beginning_of_a_line_waits_for_the_rest() {
        let (file, lines) = lines(b"whole\nhal");
        let first = lines.forward(0, 1024).unwrap();
        assert_eq!((texts(&first), first.to), (vec!["whole"], 6));
        assert_eq!(texts(&lines.backward(None, 1024).unwrap()), ["whole"]);
        assert_eq!(lines.forward(6, 1024).unwrap().to, 6);
        // Of a worker that died in the middle of it no more will come.
        settle(&file);
        assert_eq!(texts(&lines.forward(6, 1024).unwrap()), ["hal"]);
        assert_eq!(texts(&lines.backward(None, 1024).unwrap()), ["whole", "hal"]);
    }

    #[test]
    fn a_line_that_is_longer_than_an_event_is_several() {
        let long = "漢".repeat(MAX_EVENT);
        let (file, lines) = lines(format!("{long}\nnext\n").as_bytes());
        settle(&file);
        let (mut text, mut from) = (String::new(), 0);
        loop {
            let stretch = lines.forward(from, 64).unwrap();
            assert!(stretch.lines.iter().all(|line| line.text.len() <= MAX_EVENT));
            if stretch.to == from {
                break;
            }
            from = stretch.to;
            text.extend(stretch.lines.into_iter().map(|line| line.text));
        }
        assert_eq!(text.len(), long.len() + 4);
        assert!(text == format!("{long}next"), "no character is lost or cut");
    }
}
