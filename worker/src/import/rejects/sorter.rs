//! Sorts the rejects: record and reason of every one, for the rejects file: as many as there are, in the file's order, in
//! little memory. They are found nearly in order, by the reader and, a batch or two later, by the database. So a few ten
//! thousand at a time are sorted and written down as a run, or as the rest of the run before; some 2 bytes each, in memory up
//! to a bound and in a temporary file beyond that. In the end the runs are merged.

use std::cell::RefCell;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::io::{self, BufRead, BufReader, Read, Seek as _, SeekFrom, Write as _};
use std::ops::Range;
use std::rc::Rc;

use tempfile::SpooledTempFile;

use super::super::reject::Reject;
use super::texts::{Text, Texts};

/// How many rejects are sorted at a time.
const PENDING: usize = 16 * 1024;

/// The most that reasons of their own take among those, in bytes.
const PENDING_BYTES: usize = 512 * 1024;

/// The most that runs take in memory, in bytes.
const SPOOLED_BYTES: usize = 2 * 1024 * 1024;

/// What reading the runs takes in all, in bytes, and one of them at least.
const READ_BYTES: usize = 2 * 1024 * 1024;
const READ_BYTES_AT_LEAST: usize = 512;

/// The rejects while they are found.
pub(super) struct Sorter {
    pending: Vec<Entry>,
    pending_bytes: usize,
    texts: Texts,
    runs: SpooledTempFile,
    /// Where each run lies, and its last record.
    spans: Vec<(Range<u64>, u64)>,
}

/// A reject, as it waits to be written down.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Entry {
    record: u64,
    text: Text,
}

impl Default for Sorter {
    fn default() -> Self {
        Self::into(SpooledTempFile::new(SPOOLED_BYTES))
    }
}

impl Sorter {
    /// None yet; runs are written into this file.
    pub(super) fn into(runs: SpooledTempFile) -> Self {
        Self { pending: Vec::new(), pending_bytes: 0, texts: Texts::default(), runs, spans: Vec::new() }
    }

    /// Adds one.
    pub(super) fn push(&mut self, reject: &Reject) -> io::Result<()> {
        let record = reject.position.record;
        let text = self.texts.of(reject);
        self.pending_bytes += text.bytes();
        self.pending.push(Entry { record, text });
        if self.pending.len() >= PENDING || self.pending_bytes >= PENDING_BYTES {
            self.write_down()?;
        }
        Ok(())
    }

    /// All of them in order, once there are no more.
    pub(super) fn finish(mut self) -> io::Result<Sorted> {
        self.write_down()?;
        Ok(Sorted { texts: Rc::new(self.texts), runs: Rc::new(RefCell::new(self.runs)), spans: self.spans })
    }

    fn write_down(&mut self) -> io::Result<()> {
        self.pending.sort_unstable();
        let Some(first) = self.pending.first().map(|entry| entry.record) else { return Ok(()) };
        let end = self.spans.last().map_or(0, |(span, _)| span.end);
        // Rejects of the reader alone are one run.
        if self.spans.last().is_none_or(|(_, last)| *last > first) {
            self.spans.push((end..end, 0));
        }
        let Some((span, last)) = self.spans.last_mut() else { return Ok(()) };
        let mut bytes = Vec::with_capacity(4 * self.pending.len() + self.pending_bytes);
        for Entry { record, text } in self.pending.drain(..) {
            push_number(&mut bytes, record - *last);
            *last = record;
            match text {
                Text::Known(number) => push_number(&mut bytes, u64::from(number) + 1),
                Text::Own(text) => {
                    push_number(&mut bytes, 0);
                    push_number(&mut bytes, text.len() as u64);
                    bytes.extend_from_slice(text.as_bytes());
                }
            }
        }
        self.pending_bytes = 0;
        span.end += bytes.len() as u64;
        self.runs.write_all(&bytes)
    }
}

/// The rejects, once all have been found.
pub(crate) struct Sorted {
    texts: Rc<Texts>,
    runs: Rc<RefCell<SpooledTempFile>>,
    spans: Vec<(Range<u64>, u64)>,
}

impl Sorted {
    /// Record and reason of each, in the file's order, each record once.
    pub(crate) fn iter(&self) -> io::Result<Merge> {
        let size = (READ_BYTES / self.spans.len().max(1)).max(READ_BYTES_AT_LEAST);
        let mut merge =
            Merge { texts: Rc::clone(&self.texts), runs: Vec::new(), next: BinaryHeap::new(), passed: None };
        for (number, (span, _)) in self.spans.iter().enumerate() {
            let section = Section { file: Rc::clone(&self.runs), rest: span.clone() };
            merge.runs.push(Run { bytes: BufReader::with_capacity(size, section), record: 0 });
            merge.read(number)?;
        }
        Ok(merge)
    }
}

/// Several runs as one.
pub(crate) struct Merge {
    texts: Rc<Texts>,
    runs: Vec<Run>,
    /// The next one of each run, and which run that is.
    next: BinaryHeap<Reverse<(Entry, usize)>>,
    passed: Option<u64>,
}

impl Merge {
    /// The next reject.
    pub(crate) fn next(&mut self) -> io::Result<Option<(u64, String)>> {
        while let Some(Reverse((Entry { record, text }, run))) = self.next.pop() {
            self.read(run)?;
            if self.passed == Some(record) {
                continue;
            }
            self.passed = Some(record);
            let text = match text {
                Text::Own(text) => text,
                Text::Known(number) => self.texts.text(number).to_owned(),
            };
            return Ok(Some((record, text)));
        }
        Ok(None)
    }

    fn read(&mut self, number: usize) -> io::Result<()> {
        let Some(run) = self.runs.get_mut(number) else { return Ok(()) };
        if let Some(entry) = run.read()? {
            self.next.push(Reverse((entry, number)));
        }
        Ok(())
    }
}

struct Run {
    bytes: BufReader<Section>,
    record: u64,
}

impl Run {
    fn read(&mut self) -> io::Result<Option<Entry>> {
        if self.bytes.fill_buf()?.is_empty() {
            return Ok(None);
        }
        self.record += read_number(&mut self.bytes)?;
        let text = match read_number(&mut self.bytes)? {
            0 => {
                let mut text = String::new();
                let length = read_number(&mut self.bytes)?;
                (&mut self.bytes).take(length).read_to_string(&mut text)?;
                Text::Own(text)
            }
            number => Text::Known(u32::try_from(number - 1).unwrap_or(u32::MAX)),
        };
        Ok(Some(Entry { record: self.record, text }))
    }
}

/// A part of a file that others read, too.
struct Section {
    file: Rc<RefCell<SpooledTempFile>>,
    rest: Range<u64>,
}

impl Read for Section {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut file = self.file.borrow_mut();
        file.seek(SeekFrom::Start(self.rest.start))?;
        let length = (&mut *file).take(self.rest.end - self.rest.start).read(buffer)?;
        self.rest.start += length as u64;
        Ok(length)
    }
}

/// Seven bits a byte, the low ones first.
fn push_number(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

fn read_number(bytes: &mut impl Read) -> io::Result<u64> {
    let mut number = 0;
    let mut byte = [0];
    for shift in (0..u64::BITS).step_by(7) {
        bytes.read_exact(&mut byte)?;
        number |= u64::from(byte[0] & 0x7f) << shift;
        if byte[0] < 0x80 {
            break;
        }
    }
    Ok(number)
}

#[cfg(test)]
mod tests {
    use super::super::super::csv::Position;
    use super::super::super::reject::{Misfit, Reason};
    use super::*;

    fn push(sorter: &mut Sorter, record: u64, says: String) {
        let position = Position { record, line: record, byte: 0 };
        sorter.push(&Reject::of_row(position, Misfit::new(Reason::Check, says))).unwrap();
    }

    fn records(sorted: &Sorted) -> Vec<u64> {
        let mut merge = sorted.iter().unwrap();
        std::iter::from_fn(|| merge.next().unwrap()).map(|(record, _)| record).collect()
    }

    #[test]
    fn rejects_come_back_in_order_each_once_whatever_their_number() {
        let mut sorter = Sorter::default();
        // As they are found: the reader is ahead, the database follows in batches, each in an order of its own.
        for batch in 0..40_u64 {
            for row in 0..10_000 {
                push(&mut sorter, 1 + 2 * (batch * 10_000 + row), "is odd".to_owned());
            }
            for row in (0..10_000).rev().filter(|_| batch > 0) {
                push(&mut sorter, 2 * ((batch - 1) * 10_000 + row), "is even".to_owned());
            }
        }
        push(&mut sorter, 7, "is odd".to_owned());
        let sorted = sorter.finish().unwrap();
        let mut expected: Vec<u64> =
            (0..390_000).map(|row| 2 * row).chain((0..400_000).map(|row| 1 + 2 * row)).collect();
        expected.sort_unstable();
        assert!(records(&sorted) == expected);
        assert!(records(&sorted) == expected, "and again");
        // A run is begun for as many rejects as wait at a time, if at all, and one for those that are left.
        let most = expected.len() / PENDING + 1;
        assert!(sorted.spans.len() <= most, "{} of at most {most}", sorted.spans.len());
        let bytes = sorted.spans.last().unwrap().0.end;
        assert!(bytes < 2_000_000, "{bytes}");
    }

    #[test]
    fn reasons_of_their_own_are_all_kept_beyond_what_memory_is_for() {
        let mut sorter = Sorter::default();
        let says = |record: u64| format!("is refused: {record} {}", "x".repeat(500));
        (0..20_000).rev().for_each(|record| push(&mut sorter, record, says(record)));
        let sorted = sorter.finish().unwrap();
        assert!(sorted.spans.last().unwrap().0.end > SPOOLED_BYTES as u64, "it is in a file");
        let mut merge = sorted.iter().unwrap();
        for record in 0..20_000 {
            assert_eq!(merge.next().unwrap(), Some((record, format!("{} (check)", says(record)))));
        }
        assert_eq!(merge.next().unwrap(), None);
    }

    #[test]
    fn a_number_takes_as_many_bytes_as_it_needs() {
        for (number, length) in [(0, 1), (127, 1), (128, 2), (u64::MAX, 10)] {
            let mut bytes = Vec::new();
            push_number(&mut bytes, number);
            assert_eq!((bytes.len(), read_number(&mut &*bytes).unwrap()), (length, number));
        }
    }
}
