//! The records of an import's file, in the file's order, and the rows that are in its table before it comes.

use fastrand::Rng;

use super::{Import, Kind};
use crate::plan::values::{self, Cell};

/// A record of a file, or a row that was there before.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Record {
    /// With the import's id, the key.
    pub(crate) line: u32,
    /// Two records of one key differ by it.
    version: u32,
    /// Whether it has to be refused.
    pub(crate) has_flaw: bool,
}

/// The version of a row that was there before.
const BEFORE: u32 = u32::MAX;

impl Record {
    /// Its values, but for the key.
    pub(crate) fn cells(&self, import: &Import) -> Vec<Cell> {
        let own = u64::from(self.line) << 32 | u64::from(self.version);
        let seed = import.seed ^ own.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        values::cells(seed, self.has_flaw, import.backend)
    }
}

impl Import {
    /// What its file has. Where rows have a key, some come again; where rejects are tolerated, a few have to be refused.
    pub(crate) fn records(&self) -> Vec<Record> {
        let mut random = Rng::with_seed(self.seed);
        let mut records = Vec::new();
        for line in 1..=self.rows {
            records.push(Record { line, version: 0, has_flaw: false });
            if self.has_key() && random.u8(0..6) == 0 {
                let version = u32::try_from(records.len()).unwrap_or_default();
                records.push(Record { line: random.u32(1..=line), version, has_flaw: false });
            }
        }
        if self.tolerates_rejects() {
            for _ in 0..random.u32(1..=3) {
                let record = random.usize(0..records.len());
                records[record].has_flaw = true;
            }
        }
        records
    }

    /// What is in the table before, of those keys.
    pub(crate) fn rows_before(&self) -> Vec<Record> {
        if !self.has_key() {
            return Vec::new();
        }
        let lines = (1..=self.rows.min(100)).step_by(3);
        lines.map(|line| Record { line, version: BEFORE, has_flaw: false }).collect()
    }

    pub(crate) fn has_key(&self) -> bool {
        matches!(self.kind, Kind::Upsert | Kind::Skip)
    }

    pub(crate) fn tolerates_rejects(&self) -> bool {
        self.has_key() || self.kind == Kind::Rejects
    }
}
