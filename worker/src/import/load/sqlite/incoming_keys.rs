//! The foreign keys that refer to the table that is written: its own, and those of other tables. An upsert that changes what
//! they refer to is held to them.

use diesel::sql_types::{Integer, Nullable, Text};
use diesel::{QueryResult, QueryableByName, RunQueryDsl as _, SqliteConnection, sql_query};

use crate::import::table::{Table, quoted};

/// A foreign key that refers to the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct IncomingKey {
    /// The table that refers, as SQL.
    pub(super) sql: String,
    /// The same, for people.
    pub(super) name: String,
    /// The table refers to itself.
    pub(super) is_self: bool,
    /// Its table has references that SQLite looks at only at the commit: this may be one.
    pub(super) may_be_deferred: bool,
    /// The columns that refer.
    pub(super) here: Vec<String>,
    /// The columns that are referred to.
    pub(super) there: Vec<String>,
}

#[derive(QueryableByName)]
struct IncomingKeyRow {
    #[diesel(sql_type = Text)]
    child: String,
    #[diesel(sql_type = Nullable<Text>)]
    definition: Option<String>,
    #[diesel(sql_type = Integer)]
    number: i32,
    #[diesel(sql_type = Text)]
    child_column: String,
    #[diesel(sql_type = Nullable<Text>)]
    parent_column: Option<String>,
}

/// Reads them.
pub(super) fn read(connection: &mut SqliteConnection, table: &Table) -> QueryResult<Vec<IncomingKey>> {
    let rows: Vec<IncomingKeyRow> = sql_query(
        "SELECT m.name AS child, m.sql AS definition, f.id AS number, f.\"from\" AS child_column, f.\"to\" AS parent_column \
         FROM main.sqlite_schema m, pragma_foreign_key_list(m.name, 'main') f \
         WHERE m.type = 'table' AND f.\"table\" = ? COLLATE NOCASE ORDER BY m.name, f.id, f.seq",
    )
    .bind::<Text, _>(&table.name)
    .load(connection)?;
    let keys = rows.chunk_by(|one, other| one.child == other.child && one.number == other.number);
    let child = |parts: &[IncomingKeyRow]| {
        let first = parts.first()?;
        let definition = first.definition.as_deref().unwrap_or_default();
        let there = parts.iter().enumerate().map(|(place, part)| {
            part.parent_column.clone().or_else(|| table.primary_key.get(place).cloned())
        });
        Some(IncomingKey {
            sql: format!("\"main\".{}", quoted(&first.child)),
            name: first.child.clone(),
            is_self: first.child.eq_ignore_ascii_case(&table.name),
            may_be_deferred: definition.to_ascii_uppercase().contains("DEFERRED"),
            here: parts.iter().map(|part| part.child_column.clone()).collect(),
            there: there.collect::<Option<_>>()?,
        })
    };
    Ok(keys.filter_map(child).collect())
}
