//! Rows on their way from the reader to the database, in the form in which the database takes them. A batch is filled while
//! the one before is written; two exist and are used in turn, so that the memory of an import is theirs whatever the
//! file's size.

use std::ops::Range;

/// How many rows a batch takes, however small they are.
const FULL_ROWS: usize = 400_000;

/// What the first batch of an import takes of what the others do: the database has nothing to do until it comes.
const FIRST_SHARE: usize = 8;

/// Rows of one file, in its order or sorted.
#[derive(Default)]
pub(crate) struct Batch {
    /// How many bytes of rows it takes.
    capacity: usize,
    /// At how many it is to be written this time.
    full: usize,
    /// Each row behind its length in four bytes.
    bytes: Vec<u8>,
    marks: Vec<Mark>,
    /// The record that the marks count from.
    first_record: u64,
    /// Its rows are not sorted this time.
    keeps_order: bool,
}

/// Where a row lies, what it is sorted by, and which record of the file it is.
#[derive(Clone, Copy)]
struct Mark {
    key: u64,
    start: u32,
    record: u32,
}

/// A row of a batch.
pub(crate) struct BatchRow<'a> {
    /// Which record of the file it is.
    pub(crate) record: u64,
    /// The row in the database's form.
    pub(crate) bytes: &'a [u8],
}

impl Batch {
    /// An empty batch for so many bytes of rows.
    pub(crate) fn new(capacity: usize) -> Self {
        Self { capacity, full: capacity, ..Self::default() }
    }

    /// The same, to be written early the first time.
    pub(crate) fn first(capacity: usize) -> Self {
        Self { full: capacity / FIRST_SHARE, ..Self::new(capacity) }
    }

    /// Appends a row; `write` appends its form.
    pub(crate) fn push(&mut self, record: u64, key: u64, write: impl FnOnce(&mut Vec<u8>)) {
        if self.marks.is_empty() {
            self.first_record = record;
            // Address space, not memory: a vector that grows by doubling would need half as much again.
            self.bytes.reserve_exact(self.capacity + self.capacity / 8);
            self.marks.reserve_exact(FULL_ROWS.min(self.capacity / 64));
        }
        let start = self.bytes.len();
        self.bytes.extend_from_slice(&[0; 4]);
        write(&mut self.bytes);
        // A batch is full long before these overflow: a record has at most 256 MiB, and its row hardly more.
        let length = (self.bytes.len() - start - 4) as u32;
        if let Some(prefix) = self.bytes.get_mut(start..start + 4) {
            prefix.copy_from_slice(&length.to_le_bytes());
        }
        self.marks.push(Mark { key, start: start as u32, record: (record - self.first_record) as u32 });
    }

    /// Whether the batch is to be written before the row of this record is added, which takes about so many bytes.
    pub(crate) fn is_full(&self, next_record: u64, next_bytes: usize) -> bool {
        self.bytes.len() >= self.full
            // A very large row goes by itself, so that it does not stand beside a batch of others.
            || (!self.marks.is_empty() && self.bytes.len() + next_bytes > self.capacity + self.capacity / 8)
            || self.marks.len() >= FULL_ROWS
            // Between two rows there may be any number of rejects.
            || (!self.marks.is_empty() && next_record - self.first_record > u64::from(u32::MAX))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.marks.is_empty()
    }

    /// How many rows it has.
    pub(crate) fn len(&self) -> usize {
        self.marks.len()
    }

    /// Takes out the rows of these records, which are sorted. Their bytes stay until it is cleared.
    pub(crate) fn remove(&mut self, records: &[u64]) {
        let first = self.first_record;
        self.marks.retain(|mark| records.binary_search(&(first + u64::from(mark.record))).is_err());
    }

    /// Takes all rows out, and keeps the memory.
    pub(crate) fn clear(&mut self) {
        self.bytes.clear();
        self.marks.clear();
        // What a very large row took is given back.
        if self.bytes.capacity() > 2 * self.capacity {
            self.bytes = Vec::new();
        }
        self.full = self.capacity;
        self.keeps_order = false;
    }

    /// Has its rows stay in the file's order until it is cleared.
    pub(crate) fn keep_order(&mut self) {
        self.keeps_order = true;
    }

    /// Sorts by the key; rows of one key stay in the file's order.
    pub(crate) fn sort(&mut self) {
        // Keys that come in order, as sequences and time-ordered UUIDs do, cost no more than this look.
        if !self.keeps_order && !self.marks.is_sorted_by_key(|mark| mark.key) {
            self.marks.sort_unstable_by_key(|mark| (mark.key, mark.start));
        }
    }

    /// Back to the file's order.
    pub(crate) fn unsort(&mut self) {
        self.marks.sort_unstable_by_key(|mark| mark.start);
    }

    /// Does something with the batch in the file's order, and leaves it in the order that it was in.
    pub(crate) fn in_file_order<T>(&mut self, work: impl FnOnce(&Self) -> T) -> T {
        let is_sorted = !self.marks.is_sorted_by_key(|mark| mark.start);
        if is_sorted {
            self.unsort();
        }
        let done = work(self);
        if is_sorted {
            self.sort();
        }
        done
    }

    /// The rows, in the order that they are in.
    pub(crate) fn rows(&self) -> impl Iterator<Item = BatchRow<'_>> {
        self.some_rows(0..self.marks.len())
    }

    /// Some of the rows, by their places in the order that they are in.
    pub(crate) fn some_rows(&self, places: Range<usize>) -> impl Iterator<Item = BatchRow<'_>> {
        self.marks.get(places).unwrap_or_default().iter().filter_map(|mark| {
            let (length, rest) = self.bytes.get(mark.start as usize..)?.split_first_chunk()?;
            let bytes = rest.get(..u32::from_le_bytes(*length) as usize)?;
            Some(BatchRow { record: self.first_record + u64::from(mark.record), bytes })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(batch: &Batch) -> Vec<(u64, &[u8])> {
        batch.rows().map(|row| (row.record, row.bytes)).collect()
    }

    #[test]
    fn rows_come_back_as_they_were_pushed_and_sorted_by_key_then_file() {
        let records = |batch: &Batch| batch.rows().map(|row| row.record).collect::<Vec<_>>();
        let mut batch = Batch::new(1024);
        for (record, key, text) in [(7, 3, "c"), (8, 1, ""), (10, 3, "d"), (12, 2, "long")] {
            batch.push(record, key, |out| out.extend_from_slice(text.as_bytes()));
        }
        let in_file: [(u64, &[u8]); 4] = [(7, b"c"), (8, b""), (10, b"d"), (12, b"long")];
        assert_eq!(rows(&batch), in_file);
        batch.sort();
        let sorted: [(u64, &[u8]); 4] = [(8, b""), (12, b"long"), (7, b"c"), (10, b"d")];
        assert_eq!(rows(&batch), sorted);
        assert_eq!(batch.in_file_order(records), [7, 8, 10, 12]);
        assert_eq!(rows(&batch), sorted);
        batch.unsort();
        assert_eq!(batch.in_file_order(records), [7, 8, 10, 12]);
        assert_eq!(rows(&batch), in_file);
        batch.keep_order();
        batch.sort();
        assert_eq!(rows(&batch), in_file);
        batch.clear();
        assert!(batch.is_empty() && rows(&batch).is_empty());
    }

    #[test]
    fn rows_are_taken_out_by_their_records_in_any_order() {
        let mut batch = Batch::new(1024);
        for (record, key) in [(3, 9), (4, 5), (7, 1), (8, 7)] {
            batch.push(record, key, |out| out.push(record as u8));
        }
        batch.sort();
        batch.remove(&[3, 5, 7]);
        assert_eq!((batch.len(), rows(&batch)), (2, vec![(4, &[4][..]), (8, &[8][..])]));
        assert_eq!(batch.some_rows(1..2).map(|row| row.record).collect::<Vec<_>>(), [8]);
    }

    #[test]
    fn only_the_first_batch_is_full_early() {
        let rows_until_full = |batch: &mut Batch| {
            batch.clear();
            (1..).find(|&record| {
                batch.push(record, 0, |out| out.extend_from_slice(&[0; 16]));
                batch.is_full(record + 1, 16)
            })
        };
        // A row takes 20 bytes, 4 of them for its length.
        let mut first = Batch::first(800);
        first.push(1, 0, |out| out.extend_from_slice(&[0; 96]));
        assert!(first.is_full(2, 0));
        assert_eq!(rows_until_full(&mut first), Some(40));
        assert_eq!(rows_until_full(&mut Batch::new(800)), Some(40));
    }

    #[test]
    fn a_very_large_row_goes_by_itself_and_gives_its_memory_back() {
        let mut batch = Batch::new(1024);
        assert!(!batch.is_full(1, 1 << 20));
        batch.push(1, 0, |out| out.push(1));
        assert!(batch.is_full(2, 1 << 20) && !batch.is_full(2, 1000));
        batch.clear();
        batch.push(2, 0, |out| out.extend_from_slice(&[0; 1 << 20]));
        assert_eq!(rows(&batch)[0].1.len(), 1 << 20);
        batch.clear();
        assert!(batch.bytes.capacity() < 1 << 20);
    }

    #[test]
    fn a_batch_is_full_before_its_marks_overflow() {
        let mut batch = Batch::new(1024);
        assert!(!batch.is_full(u64::MAX, 1 << 40));
        batch.push(5, 0, |out| out.push(1));
        assert!(!batch.is_full(6, 0));
        assert!(batch.is_full(6 + u64::from(u32::MAX), 0));
    }
}
