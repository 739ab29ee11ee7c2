//! The table as the database has it: which columns, of which types, what must be given. It is the schema that a file is
//! checked against. Names are taken to the letter and always quoted; Baton's own tables and the system's are refused.

pub(crate) mod identifiers;
mod postgres;
mod sqlite;
mod writable;

use statemachine::FailureName;

use super::value::Kind;
use crate::config::AllowedTables;
use crate::db::{Connection, is_own};
use crate::failure::Failure;
use crate::failure::words::NEVER_WRITTEN;
use crate::visible::in_quotes;
pub use writable::writable_tables;

/// How many near names a refusal offers.
const NEAR_NAMES: usize = 3;

/// How much of a name is told, and compared with others: as much as PostgreSQL takes.
const NAME_CHARACTERS: usize = 63;

/// A table that rows can be written to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Table {
    /// The name as the import gives it, for people.
    pub(crate) name: String,
    /// The name for SQL: quoted, with its schema where it has one.
    pub(crate) sql: String,
    /// What PostgreSQL knows it by; 0 in SQLite.
    pub(crate) oid: u32,
    /// The version of its server, as `server_version_num`; none for SQLite.
    pub(crate) server: Option<u32>,
    /// The names of the primary key's columns, in the key's order. Empty where there is none.
    pub(crate) primary_key: Vec<String>,
    /// Its columns, in the table's order.
    pub(crate) columns: Vec<Column>,
}

/// A column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Column {
    /// The name, to the letter.
    pub(crate) name: String,
    /// The type, as the database spells it.
    pub(crate) type_name: String,
    /// The type below its domains, as SQL; the same where it is no domain.
    pub(crate) base_type: String,
    /// What it takes; `None` for a type that cannot be imported.
    pub(crate) kind: Option<Kind>,
    /// Whether NULL is a value of it, or becomes one.
    pub(crate) nullable: bool,
    /// Whether the database may be given NULL for it: it is a value, or a trigger sees the row first.
    pub(crate) takes_null: bool,
    /// Whether the database fills it in when it is not given.
    pub(crate) has_default: bool,
    /// Whether the database computes it, and takes no value.
    pub(crate) generated: bool,
    /// Of a type that only the database can read: whether the empty text is a value.
    pub(crate) takes_empty: bool,
    /// Whether the database always numbers it. COPY would take a value for it, but INSERT would not.
    pub(crate) identity_always: bool,
}

impl Column {
    /// Whether a file may fill it.
    pub(crate) fn takes_values(&self) -> bool {
        !self.generated && !self.identity_always
    }

    /// Whether a file must have this column.
    pub(crate) fn is_required(&self) -> bool {
        !self.nullable && !self.has_default && !self.generated
    }
}

/// Refuses, before anything is opened, a table that the configuration does not allow.
pub(crate) fn check_allowed(name: &str, allowed: &AllowedTables) -> Result<(), Failure> {
    if !allowed.allows(name) {
        return Err(not_allowed(format!(
            "the worker's configuration does not allow imports into {}; add it to the allowed tables",
            shown(name)
        )));
    }
    Ok(())
}

/// Reads the table's columns.
pub(crate) fn read(
    connection: &mut Connection,
    name: &str,
    allowed: &AllowedTables,
) -> Result<Table, Failure> {
    let table = match find(connection, name)? {
        Found::Table(table) => table,
        Found::Missing { others } => return Err(missing(name, others, allowed)),
        // Not as a table that is missing: nobody is to make one in its place.
        Found::Unwritable { why } => {
            return Err(Failure::named(
                FailureName::DatabaseMisconfigured,
                format!("{} is {why}", shown(name)),
            ));
        }
        Found::Reserved => {
            return Err(not_allowed(format!("the table {} {NEVER_WRITTEN}", shown(name))));
        }
    };
    Ok(table)
}

/// What else decides how rows are written, of what a load goes by before it has the table's lock: triggers, rules, row security,
/// references. SQLite's lock is there before the load looks.
pub(crate) fn surroundings(connection: &mut Connection, table: &Table) -> Result<Vec<String>, Failure> {
    match connection {
        Connection::Postgres(connection) => postgres::surroundings(connection, table),
        Connection::Sqlite(_) => Ok(Vec::new()),
    }
}

fn find(connection: &mut Connection, name: &str) -> Result<Found, Failure> {
    match connection {
        Connection::Postgres(connection) => postgres::read(connection, name),
        Connection::Sqlite(connection) => sqlite::read(connection, name),
    }
}

/// What a database says of a name.
enum Found {
    Table(Table),
    /// Nothing of this name; the names that there are.
    Missing {
        others: Vec<String>,
    },
    /// Something that rows cannot be written to, and what can be done about it.
    Unwritable {
        why: String,
    },
    Reserved,
}

fn missing(name: &str, others: Vec<String>, allowed: &AllowedTables) -> Failure {
    let others: Vec<_> =
        others.into_iter().filter(|other| !is_reserved(other) && allowed.allows(other)).collect();
    let near = near_names(name, others.iter().map(String::as_str));
    let near = match near.as_slice() {
        [] => String::new(),
        names => format!("; is it {}?", names.join(" or ")),
    };
    Failure::named(FailureName::TableMissing, format!("there is no table {}{near}", shown(name)))
}

/// The names that `name` is most like, nearest first, as they would be quoted to a person. Names may come from a header,
/// and so are compared by their beginnings only.
pub(crate) fn near_names<'a>(name: &str, others: impl Iterator<Item = &'a str>) -> Vec<String> {
    // Of a short name, white space within it would be a large part.
    let folded = |name: &str| cut(name).to_lowercase().split_whitespace().collect::<String>();
    let name = folded(name.trim());
    let mut near: Vec<(f64, &str)> = others
        .map(|other| (strsim::jaro_winkler(&name, &folded(other.trim())), other))
        .filter(|&(likeness, _)| likeness >= 0.8)
        .collect();
    near.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(b.1)));
    near.into_iter().take(NEAR_NAMES).map(|(_, other)| shown(other)).collect()
}

/// A name as it is quoted to a person, cut where it is very long.
pub(crate) fn shown(name: &str) -> String {
    match cut(name) {
        whole if whole.len() == name.len() => in_quotes(name),
        beginning => format!("{}…", in_quotes(beginning)),
    }
}

fn cut(name: &str) -> &str {
    let end = name.char_indices().nth(NAME_CHARACTERS).map_or(name.len(), |(end, _)| end);
    name.get(..end).unwrap_or_default()
}

/// Whether nobody means this table who names one that is not there. Which tables are never written the database itself says.
fn is_reserved(name: &str) -> bool {
    let folded = name.to_lowercase();
    let in_quotes = identifiers::identifiers(&folded);
    let (schema, table) = match (&in_quotes, folded.split_once('.')) {
        (Some((schema, table)), _) => (schema.as_deref().unwrap_or_default(), table.as_str()),
        (None, Some((schema, table))) => (schema, table),
        (None, None) => ("", folded.as_str()),
    };
    is_own(schema, table)
        || table.starts_with("sqlite_")
        || schema.starts_with("pg_")
        || schema == "information_schema"
        || (schema.is_empty() && table.starts_with("pg_"))
}

fn not_allowed(cause: String) -> Failure {
    Failure::named(FailureName::TableNotAllowed, cause)
}

/// A name as SQL's quoted identifier, which both databases read the same way.
pub(crate) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_leave_its_quotes() {
        assert_eq!(quoted(r#"a"; DROP TABLE b; --"#), r#""a""; DROP TABLE b; --""#);
    }

    #[test]
    fn our_own_tables_and_the_systems_are_refused_in_any_spelling() {
        for name in [
            "baton_jobs",
            "Baton_Jobs",
            "baton_ledger.attempts",
            "main.baton_imported_files",
            "pg_catalog.pg_class",
            "pg_authid",
            "information_schema.tables",
            "SQLITE_schema",
            "baton_ledger.migrations",
            "\"pg_temp\".\"t\"",
            "\"PG_TEMP\".t",
            "baton_ledger.\"jobs\"",
        ] {
            assert!(is_reserved(name), "{name}");
        }
        for name in ["people", "sales.baton_jobs", "jobs", "\"a pg_temp\".t", "\"a.baton_jobs\""] {
            assert!(!is_reserved(name), "{name}");
        }
    }

    #[test]
    fn near_names_come_nearest_first() {
        let names = ["orders", "people", "persons", "peoples_old"];
        assert_eq!(near_names("poeple", names.into_iter()).first().map(String::as_str), Some("\"people\""));
        assert!(near_names("zzz", names.into_iter()).is_empty());
        assert_eq!(near_names("氏\u{3000}名", ["氏名", "id"].into_iter()), ["\"氏名\""]);
    }
}
