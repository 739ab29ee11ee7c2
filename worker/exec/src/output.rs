//! What the program writes to stdout and stderr, line by line. Each has a thread, so that a caller who takes a line slowly
//! holds the program up and nothing else. Memory is bounded: one chunk, one piece of a line, and the end of stderr.

use std::io::{ErrorKind, PipeReader, Read};
use std::os::fd::AsFd;

use memchr::memchr;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
use rustix::io::Errno;
use tracing::warn;

use crate::pulse::Pulse;
use crate::watch::{Stream, Watch};

/// The longest piece of a line. Docker and ECS cut a line of a log at 16 KiB, and ours has fields around it.
const PIECE: usize = 8 * 1024;

/// How much of the end of stderr is kept as the cause of a failure.
const TAIL: usize = 4 * 1024;

/// How much is read at a time: what a pipe holds.
const CHUNK: usize = 64 * 1024;

/// How much is read after the end: what a pipe holds at most. More comes only from a process that is not the program's.
const REST: usize = 1024 * 1024;

/// Follows a stream to its end, or to what is in it when `ended` is closed, and returns the end of it.
pub(crate) fn follow(
    mut pipe: PipeReader,
    stream: Stream,
    ended: &impl AsFd,
    watch: &dyn Watch,
    pulse: &Pulse<'_>,
) -> Tail {
    let mut tail = Tail::default();
    let mut pieces = Pieces::default();
    let mut chunk = vec![0; CHUNK];
    let mut rest: Option<usize> = None;
    if let Err(error) = set_nonblocking(&pipe) {
        warn!(%error, "Could not prepare {}", stream.as_str());
        return tail;
    }
    loop {
        match pipe.read(&mut chunk) {
            Ok(0) => break,
            Ok(read) => {
                let bytes = chunk.get(..read).unwrap_or_default();
                pulse.output();
                tail.append(bytes);
                pieces.feed(bytes, &mut |line| watch.line(stream, line));
                if let Some(left) = &mut rest {
                    *left = left.saturating_sub(read);
                    if *left == 0 {
                        break;
                    }
                }
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                if rest.is_some() {
                    break;
                }
                if waits_for_end(&pipe, ended) {
                    rest = Some(REST);
                }
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => {
                warn!(%error, "Could not read {}", stream.as_str());
                break;
            }
        }
    }
    pieces.end(&mut |line| watch.line(stream, line));
    tail
}

fn set_nonblocking(pipe: &PipeReader) -> Result<(), Errno> {
    // The flag belongs to our end alone: the program's writes wait as ever.
    fcntl_setfl(pipe, fcntl_getfl(pipe)? | OFlags::NONBLOCK)
}

/// Waits until there is something to read, and returns whether everything has ended.
fn waits_for_end(pipe: &PipeReader, ended: &impl AsFd) -> bool {
    let mut both = [PollFd::new(pipe, PollFlags::IN), PollFd::new(ended, PollFlags::IN)];
    match poll(&mut both, None) {
        Ok(_) => both.last().is_some_and(|ended| !ended.revents().is_empty()),
        Err(Errno::INTR) => false,
        Err(_) => true,
    }
}

/// Lines out of bytes; long ones in pieces.
#[derive(Debug, Default)]
struct Pieces {
    pending: Vec<u8>,
}

impl Pieces {
    fn feed(&mut self, mut bytes: &[u8], tell: &mut dyn FnMut(&str)) {
        while let Some(end) = memchr(b'\n', bytes) {
            let (line, rest) = bytes.split_at(end);
            self.append(line, tell);
            let line = std::mem::take(&mut self.pending);
            tell(&String::from_utf8_lossy(line.strip_suffix(b"\r").unwrap_or(&line)));
            bytes = rest.get(1..).unwrap_or_default();
        }
        self.append(bytes, tell);
    }

    /// The last line has no end.
    fn end(self, tell: &mut dyn FnMut(&str)) {
        if !self.pending.is_empty() {
            tell(&String::from_utf8_lossy(&self.pending));
        }
    }

    fn append(&mut self, mut bytes: &[u8], tell: &mut dyn FnMut(&str)) {
        while self.pending.len() + bytes.len() > PIECE {
            let (now, later) = bytes.split_at(PIECE - self.pending.len());
            self.pending.extend_from_slice(now);
            let kept = self.pending.split_off(whole_characters(&self.pending));
            tell(&String::from_utf8_lossy(&self.pending));
            self.pending = kept;
            bytes = later;
        }
        self.pending.extend_from_slice(bytes);
    }
}

/// How many of these bytes are whole characters: all but the beginning of one at the end.
fn whole_characters(bytes: &[u8]) -> usize {
    match std::str::from_utf8(bytes) {
        // Only an end that may become a character has no length.
        Err(error) if error.error_len().is_none() => error.valid_up_to(),
        _ => bytes.len(),
    }
}

/// The end of a stream.
#[derive(Debug, Default)]
pub(crate) struct Tail {
    bytes: Vec<u8>,
    is_cut: bool,
}

impl Tail {
    fn append(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
        if let Some(surplus) = self.bytes.len().checked_sub(TAIL).filter(|surplus| *surplus > 0) {
            self.bytes.drain(..surplus);
            self.is_cut = true;
        }
    }

    /// The last lines; the first of them whole, where one begins here.
    pub(crate) fn text(&self) -> String {
        let text = String::from_utf8_lossy(&self.bytes);
        let text = match text.split_once('\n') {
            Some((_, whole_lines)) if self.is_cut && !whole_lines.trim().is_empty() => whole_lines,
            _ => &text,
        };
        text.trim().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(chunks: &[&[u8]]) -> Vec<String> {
        let mut lines = Vec::new();
        let mut pieces = Pieces::default();
        for chunk in chunks {
            pieces.feed(chunk, &mut |line| lines.push(line.to_owned()));
        }
        pieces.end(&mut |line| lines.push(line.to_owned()));
        lines
    }

    #[test]
    fn lines_are_whole_whatever_chunks_they_come_in() {
        assert_eq!(lines(&[b"a\r\nb", b"c\n\nd"]), ["a", "bc", "", "d"]);
        assert_eq!(lines(&[b"gr\xc3", b"\xbcn\n"]), ["gr\u{fc}n"]);
        assert_eq!(lines(&[b"\xff!\n"]), ["\u{fffd}!"]);
    }

    #[test]
    fn a_long_line_is_cut_between_characters() {
        let long = "\u{fc}".repeat(PIECE);
        let pieces = lines(&[b"x", long.as_bytes(), b"\nnext\n"]);
        assert_eq!(pieces.len(), 4);
        assert!(pieces.iter().all(|piece| piece.len() <= PIECE && !piece.contains('\u{fffd}')));
        assert_eq!(pieces.concat(), format!("x{long}next"));
        assert_eq!(lines(&[&vec![b'a'; PIECE], b"\n"]).len(), 1, "just not too long");
    }

    #[test]
    fn the_tail_is_the_last_whole_lines() {
        let mut tail = Tail::default();
        for number in 0..10_000 {
            tail.append(format!("line {number}\n").as_bytes());
        }
        let text = tail.text();
        assert!(text.len() <= TAIL && text.starts_with("line ") && text.ends_with("line 9999"), "{text}");
        let mut tail = Tail::default();
        tail.append(b"only\nthese\n");
        assert_eq!(tail.text(), "only\nthese");
    }
}
