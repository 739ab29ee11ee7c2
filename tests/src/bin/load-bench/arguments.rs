//! What the command line says: how many rows, how often, and which parts.

use std::path::PathBuf;

use clap::{Parser, ValueEnum};

/// Measures how fast Baton loads, against what loads files today, and writes Markdown tables to standard output.
/// Installs nothing; what is not there is left out, and named at the end.
#[derive(Parser)]
pub(crate) struct Arguments {
    /// Rows of each file that is timed.
    #[arg(long, default_value_t = 1_000_000)]
    pub(crate) rows: u64,
    /// How often each pair of contenders runs. The programs that are only looked at run once.
    #[arg(long, default_value_t = 5)]
    pub(crate) rounds: usize,
    /// Rows of the large file, whose import must need no more memory; 0 leaves it out.
    #[arg(long, default_value_t = 10_000_000)]
    pub(crate) rows_large: u64,
    /// Only these parts; may be given more than once.
    #[arg(long, value_enum)]
    only: Vec<Part>,
    /// Only loads whose name contains this.
    #[arg(long, default_value = "")]
    pub(crate) load: String,
    /// The worker of a build before, which PostgreSQL's and SQLite's loads are measured against instead of `\copy` and `.import`.
    #[arg(long)]
    pub(crate) before: Option<PathBuf>,
    /// The Python whose Django and pandas are measured.
    #[arg(long, default_value = "python3")]
    pub(crate) python: PathBuf,
}

/// A part of the measurement.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Part {
    /// The worker against `\copy`.
    Postgres,
    /// Rows that only PostgreSQL can refuse, against none of them.
    Rejects,
    /// The worker against `.import`.
    Sqlite,
    /// Django, pandas and pgloader.
    Others,
    /// The worker's peak memory for two sizes of file.
    Memory,
    /// The checking of a file without a database.
    Checking,
}

impl Arguments {
    /// What the loads are measured against, where that is not a build before.
    pub(crate) fn base<'a>(&self, others: &'a str) -> &'a str {
        if self.before.is_some() { "the build before" } else { others }
    }

    /// Whether this part is asked for.
    pub(crate) fn ask_for(&self, part: Part) -> bool {
        self.only.is_empty() || self.only.contains(&part)
    }
}
