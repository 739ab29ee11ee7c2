//! The name of a table that is to be made, read as an import reads it: the import finds what was made.

use super::{Dialect, POSTGRES_NAME_BYTES, Refusal};
use crate::import::table::identifiers::{in_postgres, in_sqlite};
use crate::import::table::quoted;

/// A table's name and its schema, without quotes.
#[derive(Clone, Debug)]
pub(super) struct TableName {
    schema: Option<String>,
    name: String,
}

impl TableName {
    pub(super) fn read(text: &str, dialect: Dialect) -> Result<Self, Refusal> {
        let read = match dialect {
            Dialect::Postgres => in_postgres(text),
            Dialect::Sqlite => in_sqlite(text),
        };
        let (schema, name) = read.ok_or_else(|| Refusal::Quoted(text.to_owned()))?;
        let named = Self { schema, name };
        match (dialect, &named.schema) {
            (Dialect::Postgres, _) => named.check_length()?,
            (Dialect::Sqlite, Some(other)) if !other.eq_ignore_ascii_case("main") => {
                return Err(Refusal::Schema(other.clone()));
            }
            (Dialect::Sqlite, _) => {}
        }
        Ok(named)
    }

    fn check_length(&self) -> Result<(), Refusal> {
        let mut parts = self.schema.iter().chain([&self.name]);
        match parts.find(|part| part.len() > POSTGRES_NAME_BYTES) {
            Some(part) => Err(Refusal::TableNameTooLong(part.clone())),
            None => Ok(()),
        }
    }

    /// The name for SQL, with its schema where it has one.
    pub(super) fn in_sql(&self) -> String {
        match &self.schema {
            Some(schema) => format!("{}.{}", quoted(schema), quoted(&self.name)),
            None => quoted(&self.name),
        }
    }

    /// The name without its schema.
    pub(super) fn bare(&self) -> &str {
        &self.name
    }
}
