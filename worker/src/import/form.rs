//! The form in which a database takes rows: the reader writes it beside the database's work, the loader only passes it on.

pub(crate) mod binary;
pub(crate) mod native;
mod sqlite_exact;
pub(crate) mod text;

use super::check::Unfit;
use super::header::Filled;
use super::value::Value;

/// How rows are written down for the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// PostgreSQL's binary COPY: the least work for the server.
    Binary,
    /// PostgreSQL's text COPY: for types that have no binary writer here, and that only the server can read.
    Text,
    /// Values to be bound to a statement of SQLite.
    Native,
}

impl Form {
    /// The form of a COPY that fills these columns.
    pub(crate) fn of_copy(columns: &[Filled]) -> Self {
        if columns.iter().any(|column| column.kind.is_opaque()) { Self::Text } else { Self::Binary }
    }

    /// Whether the database keeps the values of a row as they are: which column, and why not.
    pub(crate) fn check(self, columns: &[Filled], values: &[Value<'_>]) -> Result<(), Unfit> {
        if self != Self::Native {
            return Ok(());
        }
        for (index, (column, value)) in columns.iter().zip(values).enumerate() {
            if let Some(misfit) = sqlite_exact::misfit(&column.kind, value) {
                return Err(Unfit { column: Some(index), misfit });
            }
        }
        Ok(())
    }

    /// Appends a row.
    pub(crate) fn write(self, out: &mut Vec<u8>, columns: &[Filled], values: &[Value<'_>]) {
        match self {
            Self::Binary => binary::write_row(out, columns, values),
            Self::Text => text::write_row(out, values),
            Self::Native => native::write_row(out, values),
        }
    }
}
