//! What is in a table, asked of the database itself, not of Baton.

use diesel::RunQueryDsl as _;
use diesel::sql_types::{BigInt, Text};
use worker::db::{Connection, Database};

#[derive(diesel::QueryableByName)]
struct Number {
    #[diesel(sql_type = BigInt)]
    value: i64,
}

#[derive(diesel::QueryableByName)]
struct Line {
    #[diesel(sql_type = Text)]
    value: String,
}

/// Runs a statement, such as a CREATE TABLE.
///
/// # Panics
/// The database refuses it.
pub fn execute(database: &Database, sql: &str) {
    let query = diesel::sql_query(sql);
    match database.connect().expect("the test's database is there") {
        Connection::Postgres(mut connection) => query.execute(&mut connection),
        Connection::Sqlite(mut connection) => query.execute(&mut connection),
    }
    .expect("the statement of a test is right");
}

/// The one number that a query selects as `value`.
///
/// # Panics
/// The database refuses the query.
#[must_use]
pub fn number(database: &Database, sql: &str) -> i64 {
    let query = diesel::sql_query(sql);
    match database.connect().expect("the test's database is there") {
        Connection::Postgres(mut connection) => query.get_result::<Number>(&mut connection),
        Connection::Sqlite(mut connection) => query.get_result::<Number>(&mut connection),
    }
    .expect("the query of a test is right")
    .value
}

/// The texts that a query selects as `value`.
///
/// # Panics
/// The database refuses the query.
#[must_use]
pub fn texts(database: &Database, sql: &str) -> Vec<String> {
    let query = diesel::sql_query(sql);
    match database.connect().expect("the test's database is there") {
        Connection::Postgres(mut connection) => query.load::<Line>(&mut connection),
        Connection::Sqlite(mut connection) => query.load::<Line>(&mut connection),
    }
    .expect("the query of a test is right")
    .into_iter()
    .map(|line| line.value)
    .collect()
}
