//! The databases that a run can load.

use clap::ValueEnum;
use e2e::Backend;

/// See [`Backend`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Rows {
    Postgres,
    Sqlite,
}

impl From<Rows> for Backend {
    fn from(rows: Rows) -> Self {
        match rows {
            Rows::Postgres => Self::Postgres,
            Rows::Sqlite => Self::Sqlite,
        }
    }
}
