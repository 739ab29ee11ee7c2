//! The rows of a file as single statements of plain SQL, each within a savepoint.

use diesel::connection::SimpleConnection as _;
use diesel::sql_types::Integer;
use diesel::{Connection as _, QueryResult, QueryableByName, RunQueryDsl as _, sql_query};
use statemachine::OnConflict;
use worker::db::Connection;

use super::cases::{Case, Row};
use crate::import::world::World;

/// What is to come of an import.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Expected {
    pub(crate) rows: u64,
    pub(crate) updated: u64,
    pub(crate) skipped: u64,
    pub(crate) duplicates: u64,
    pub(crate) dropped: u64,
    /// Which records are rejects.
    pub(crate) rejected: Vec<u64>,
    /// What is in the table.
    pub(crate) table: Vec<String>,
    /// What its triggers have written elsewhere.
    pub(crate) audit: Vec<String>,
}

#[derive(QueryableByName)]
struct Found {
    #[diesel(sql_type = Integer)]
    found: i32,
}

/// Writes the rows one by one, and counts as the README says.
pub(crate) fn apply(world: &World, case: &Case, table: &str) -> Expected {
    let mut expected = Expected::default();
    // Keys that rows of the file have taken, as the database would compare them.
    let mut taken: Vec<Vec<String>> = Vec::new();
    let mut connection = world.database.connect().unwrap();
    connection
        .transaction(|connection| {
            for (index, row) in case.rows().iter().enumerate() {
                let was_there = finds(connection, case, table, row)?;
                execute(connection, "SAVEPOINT one")?;
                let written = match changes(connection, &insertion(case, table, row)) {
                    Ok(written) => written > 0,
                    Err(_) => {
                        execute(connection, "ROLLBACK TO SAVEPOINT one; RELEASE SAVEPOINT one")?;
                        expected.rejected.push(index as u64 + 1);
                        continue;
                    }
                };
                execute(connection, "RELEASE SAVEPOINT one")?;
                let key = key_of(connection, case, row, written)?;
                let is_taken = key.as_ref().is_some_and(|key| taken.contains(key));
                match (written, case.on_conflict) {
                    (true, OnConflict::Update) if is_taken && was_there => expected.duplicates += 1,
                    (true, _) => {
                        expected.rows += 1;
                        expected.updated += u64::from(was_there);
                        taken.extend(key);
                    }
                    (false, OnConflict::Skip) if is_taken => expected.duplicates += 1,
                    (false, OnConflict::Skip) if was_there => expected.skipped += 1,
                    (false, _) => expected.dropped += 1,
                }
            }
            Ok::<_, diesel::result::Error>(())
        })
        .unwrap();
    expected.table = world.lines(&case.content(table));
    expected.audit = world.lines(&format!("SELECT v AS line FROM audit_{table} ORDER BY 1"));
    expected
}

fn insertion(case: &Case, table: &str, row: &Row) -> String {
    let (columns, values) = (case.columns(), case.values(row));
    let key = case.key_columns();
    let conflict = match case.on_conflict {
        OnConflict::Error => String::new(),
        OnConflict::Skip => format!(" ON CONFLICT ({}) DO NOTHING", key.join(", ")),
        OnConflict::Update => {
            let is_set = |column: &&&str| {
                // `Ann` and `ann` are one email: what is there gets the file's spelling.
                !key.contains(column) || **column == "email" || columns.len() == key.len()
            };
            let set: Vec<_> =
                columns.iter().filter(is_set).map(|column| format!("{column} = excluded.{column}")).collect();
            format!(" ON CONFLICT ({}) DO UPDATE SET {}", key.join(", "), set.join(", "))
        }
    };
    format!("INSERT INTO {table} ({}) VALUES ({}){conflict}", columns.join(", "), values.join(", "))
}

/// The key that a row has taken, or would have; none for one with NULL in it, unless the database has given it a number.
fn key_of(
    connection: &mut Connection,
    case: &Case,
    row: &Row,
    written: bool,
) -> QueryResult<Option<Vec<String>>> {
    let key = case.key_values(row);
    if key.iter().any(|value| value == "NULL") {
        if case.key_columns() != ["id"] || !written {
            return Ok(None);
        }
        let Connection::Sqlite(connection) = connection else { return Ok(None) };
        let number: Found =
            sql_query("SELECT CAST(last_insert_rowid() AS INTEGER) AS found").get_result(connection)?;
        return Ok(Some(vec![number.found.to_string()]));
    }
    let is_email = case.key_columns() == ["email"];
    Ok(Some(key.into_iter().map(|value| if is_email { value.to_lowercase() } else { value }).collect()))
}

fn finds(connection: &mut Connection, case: &Case, table: &str, row: &Row) -> QueryResult<bool> {
    let same: Vec<_> = case
        .key_columns()
        .iter()
        .zip(case.key_values(row))
        .map(|(column, value)| format!("{column} = {value}"))
        .collect();
    let query = sql_query(format!(
        "SELECT CAST(count(*) AS INTEGER) AS found FROM {table} WHERE {}",
        same.join(" AND ")
    ));
    let found: Found = match connection {
        Connection::Postgres(connection) => query.get_result(connection),
        Connection::Sqlite(connection) => query.get_result(connection),
    }?;
    Ok(found.found > 0)
}

fn changes(connection: &mut Connection, sql: &str) -> QueryResult<usize> {
    match connection {
        Connection::Postgres(connection) => sql_query(sql).execute(connection),
        Connection::Sqlite(connection) => sql_query(sql).execute(connection),
    }
}

fn execute(connection: &mut Connection, sql: &str) -> QueryResult<()> {
    match connection {
        Connection::Postgres(connection) => connection.batch_execute(sql),
        Connection::Sqlite(connection) => connection.batch_execute(sql),
    }
}
