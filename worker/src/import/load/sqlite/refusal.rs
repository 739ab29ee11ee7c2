//! What it means that SQLite does not take a row: the row is at fault, or SQLite itself cannot go on. diesel passes a kind for
//! the usual constraints and the message for all else; and a message may be any trigger's, whatever it says. So a message
//! counts as SQLite's own only where no trigger can have made it, or where another write fails as well.

use diesel::connection::SimpleConnection as _;
use diesel::result::{DatabaseErrorKind, Error};
use diesel::sql_types::{Bool, Integer, Text};
use diesel::{QueryableByName, RunQueryDsl as _, SqliteConnection, sql_query};
use statemachine::FailureName;

use super::facts::Facts;
use super::ids::exhausted;
use crate::db::failure::{database_failure, described};
use crate::db::sqlite::full_disk::filled;
use crate::db::sqlite::messages::{FULL, is_outage};
use crate::failure::Failure;
use crate::import::reject::{Misfit, Reason};
use crate::import::table::{Table, shown};

/// Writes enough that it cannot stay in memory, and takes it back.
const PROBE: &str = "SAVEPOINT \"baton probe\"; PRAGMA cache_size = 10; \
    CREATE TABLE main.\"baton probe\" AS SELECT zeroblob(200000) AS filler; \
    ROLLBACK TO \"baton probe\"; RELEASE \"baton probe\"";

/// Why a row is not in the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) column: Option<String>,
    pub(super) misfit: Misfit,
}

#[derive(QueryableByName)]
struct Found {
    #[diesel(sql_type = Integer)]
    #[expect(dead_code, reason = "that there is one says it")]
    found: i32,
}

/// Who has to do with a row.
pub(super) struct Judge {
    table: String,
    /// The messages about the table's own keys and columns that must have a value, each with its column where it is one.
    own: Vec<(String, Option<String>)>,
    definition: String,
    /// A trigger, or the action of a foreign key, runs for each row.
    pub(super) has_triggers: bool,
    /// How much memory the pages of the load may have, in KiB.
    cache_kib: u32,
}

impl Judge {
    pub(super) fn new(table: &Table, facts: &Facts, has_triggers: bool, cache_kib: u32) -> Self {
        let name = |column: &str| format!("{}.{column}", table.name);
        let unique = |columns: &[String]| {
            let names: Vec<_> = columns.iter().map(|column| name(column)).collect();
            let column = if let [column] = columns { Some(column.clone()) } else { None };
            (format!("UNIQUE constraint failed: {}", names.join(", ")), column)
        };
        let mut own = vec![unique(&table.primary_key)];
        own.extend(
            facts
                .keys
                .iter()
                .map(|key| unique(&key.columns.iter().map(|(column, _)| column.clone()).collect::<Vec<_>>())),
        );
        own.extend(table.columns.iter().map(|column| {
            (format!("NOT NULL constraint failed: {}", name(&column.name)), Some(column.name.clone()))
        }));
        let definition = facts.definition.clone();
        Self { table: table.name.clone(), own, definition, has_triggers, cache_kib }
    }

    pub(super) fn table(&self) -> &str {
        &self.table
    }

    /// What the error of a row's statement means, once that statement has been undone.
    ///
    /// # Errors
    /// The failure, where the row is not at fault.
    pub(super) fn refusal(
        &self,
        connection: &mut SqliteConnection,
        error: &Error,
    ) -> Result<Refusal, Failure> {
        let Error::DatabaseError(kind, information) = error else {
            return Err(self.failure(connection, error));
        };
        let message = information.message();
        if matches!(kind, DatabaseErrorKind::Unknown) && is_outage(message) {
            if !self.has_triggers {
                return Err(self.failure(connection, error));
            }
            if let Err(error) = self.probe(connection) {
                return Err(self.failure(connection, &error));
            }
        }
        let own = self.own.iter().find(|(own, _)| own == message).map(|(_, column)| column.clone());
        let reason = match (kind, &own) {
            (DatabaseErrorKind::UniqueViolation, Some(_)) => Reason::Unique,
            (DatabaseErrorKind::NotNullViolation, Some(_)) => Reason::Required,
            (DatabaseErrorKind::UniqueViolation, None) if self.is_own_key(connection, message) => {
                Reason::Unique
            }
            (DatabaseErrorKind::ForeignKeyViolation, _) => Reason::ForeignKey,
            (DatabaseErrorKind::CheckViolation, _) if self.is_own_check(message) => Reason::Check,
            _ => Reason::Refused,
        };
        let says = format!("is refused by the database: {}", described(error));
        Ok(Refusal { column: own.flatten(), misfit: Misfit::new(reason, says) })
    }

    /// A key on some rows is told by the table's columns, one on an expression by the name of its index.
    fn is_own_key(&self, connection: &mut SqliteConnection, message: &str) -> bool {
        let key = message.strip_prefix("UNIQUE constraint failed: ").unwrap_or(message);
        let own = format!("{}.", self.table);
        if !self.has_triggers || key.split(", ").all(|column| column.starts_with(&own)) {
            return true;
        }
        let named = sql_query(
            "SELECT 1 AS found FROM main.sqlite_schema \
             WHERE type = 'index' AND tbl_name = ? AND 'index ''' || name || '''' = ?",
        );
        let found = named.bind::<Text, _>(&self.table).bind::<Text, _>(key).load::<Found>(connection);
        found.is_ok_and(|found| !found.is_empty())
    }

    /// A check is told by its name or by its words, which the table's definition has.
    fn is_own_check(&self, message: &str) -> bool {
        let check = message.strip_prefix("CHECK constraint failed: ").unwrap_or(message);
        !self.has_triggers || self.definition.contains(check)
    }

    /// The failure where the whole transaction is gone with the row: SQLite gives one up when its disk fails it, and a trigger
    /// can.
    pub(super) fn transaction_ended(&self, connection: &mut SqliteConnection, error: &Error) -> Failure {
        let Error::DatabaseError(_, information) = error else { return self.failure(connection, error) };
        let message = information.message();
        // Of a table that a trigger writes into: the loaded one is asked for its ids before.
        let exhausted = (self.has_triggers && message == FULL).then(|| exhausted(connection)).flatten();
        if let Some(refusal) = exhausted {
            let cause = format!(
                "a row that a trigger of the table {} writes {}",
                shown(&self.table),
                refusal.misfit.says
            );
            return Failure::named(FailureName::ConstraintViolation, cause);
        }
        // Whoever ends a transaction has the word for it, and most say in so many words why.
        let can_end = sql_query(
            "SELECT 1 AS found FROM main.sqlite_schema \
             WHERE sql LIKE '%ROLLBACK%' AND (instr(sql, ?) OR NOT ?) LIMIT 1",
        )
        .bind::<Text, _>(message.replace('\'', "''"))
        .bind::<Bool, _>(is_outage(message))
        .load::<Found>(connection);
        if !self.has_triggers || !can_end.is_ok_and(|found| !found.is_empty()) {
            return self.failure(connection, error);
        }
        let cause = format!(
            "a trigger of the table {} has ended the whole transaction: {}; \
             where it says RAISE(ROLLBACK, …) let it say RAISE(ABORT, …), and the row becomes a reject",
            shown(&self.table),
            described(error)
        );
        Failure::named(FailureName::ConstraintViolation, cause)
    }

    fn probe(&self, connection: &mut SqliteConnection) -> Result<(), Error> {
        let probed = connection.batch_execute(PROBE);
        connection.batch_execute(&format!("PRAGMA cache_size = -{}", self.cache_kib))?;
        probed
    }

    fn failure(&self, connection: &mut SqliteConnection, error: &Error) -> Failure {
        let what = format!("write rows into {}", shown(&self.table));
        filled(connection, error, &what).unwrap_or_else(|| database_failure(error, &what))
    }
}

#[cfg(test)]
mod tests {
    use diesel::Connection as _;

    use super::*;

    #[test]
    fn a_full_disk_blames_no_row() {
        let mut connection = SqliteConnection::establish(":memory:").unwrap();
        connection.batch_execute("CREATE TABLE t (v TEXT)").unwrap();
        let table = Table::declared(&[("v", "TEXT")]);
        let judge = Judge {
            table: table.name,
            own: Vec::new(),
            definition: "CREATE TABLE t (v TEXT)".to_owned(),
            has_triggers: false,
            cache_kib: 64,
        };
        let error = Error::DatabaseError(DatabaseErrorKind::Unknown, Box::new(FULL.to_owned()));
        let Err(Failure::Named { name, cause, .. }) = judge.refusal(&mut connection, &error) else {
            panic!("a row was blamed")
        };
        assert_eq!(name, FailureName::DatabaseUnavailable);
        assert!(cause.ends_with(FULL), "{cause}");
    }
}
