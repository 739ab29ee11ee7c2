//! The key of an upsert: the clause of the statement, and which keys rows of the file have taken. SQLite itself says which
//! keys are the same, by the type and the collation of its index.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use diesel::connection::SimpleConnection as _;
use diesel::{QueryResult, SqliteConnection};
use statemachine::{FailureName, OnConflict};

use super::facts::Facts;
use super::statement::{Kind, Statement};
use crate::failure::Failure;
use crate::import::form::native::Native;
use crate::import::header::Plan;
use crate::import::table::{Table, quoted, shown};
use crate::import::value;

/// Where the keys of the file are remembered.
const SEEN: &str = "temp.\"baton keys\"";

mod function {
    #[diesel::declare_sql_function]
    extern "SQL" {
        /// Notes that a row met another one of its key.
        fn baton_met() -> diesel::sql_types::Bool;
    }
}

/// The key that an upsert goes by.
#[derive(Clone, Debug)]
pub(super) struct Key {
    /// Column, collation, and its place in a row.
    columns: Vec<KeyColumn>,
    /// It is the row's number, which SQLite gives where the file does not.
    is_rowid: bool,
}

#[derive(Clone, Debug)]
struct KeyColumn {
    name: String,
    collation: String,
    place: usize,
    is_integer: bool,
}

impl Key {
    /// The key on these columns.
    ///
    /// # Errors
    /// `Import.OptionsInvalid` where SQLite has no unique key on just these columns.
    pub(super) fn of(names: &[String], table: &Table, facts: &Facts, plan: &Plan) -> Result<Self, Failure> {
        let binary = |name: &String| (name.clone(), "BINARY".to_owned());
        let (pairs, is_rowid) = match facts.key_on(names) {
            Some(key) => (key.columns.clone(), false),
            None if names == table.primary_key => (names.iter().map(binary).collect(), true),
            None => return Err(no_key(names, table)),
        };
        let column = |(name, collation): (String, String)| {
            let place = plan.columns.iter().position(|column| column.name == name)?;
            let is_integer =
                plan.columns.get(place).is_some_and(|column| matches!(column.kind, value::Kind::Integer(_)));
            Some(KeyColumn { name, collation, place, is_integer })
        };
        let columns: Option<Vec<_>> = pairs.into_iter().map(column).collect();
        let columns = columns.ok_or_else(|| no_key(names, table))?;
        Ok(Self { columns, is_rowid })
    }

    /// Whether two texts of one key are always the same text.
    pub(super) fn is_exact(&self) -> bool {
        self.columns.iter().all(KeyColumn::is_exact)
    }

    /// The place in a row of the key's first column.
    pub(super) fn first_place(&self) -> Option<usize> {
        self.columns.first().map(|column| column.place)
    }

    /// What stands behind the values.
    pub(super) fn clause(&self, plan: &Plan, on_conflict: OnConflict) -> String {
        let target: Vec<_> = self.columns.iter().map(|column| quoted(&column.name)).collect();
        let target = target.join(", ");
        if on_conflict == OnConflict::Skip {
            return format!(" ON CONFLICT ({target}) DO NOTHING");
        }
        let names = plan.columns.iter().enumerate().filter(|(place, _)| self.is_set(plan, *place));
        let changes: Vec<_> = names.map(|(_, column)| set(&column.name)).collect();
        // The function is called for rows that are there, and for no others.
        format!(" ON CONFLICT ({target}) DO UPDATE SET {} WHERE baton_met()", changes.join(", "))
    }

    fn is_set(&self, plan: &Plan, place: usize) -> bool {
        !self.columns.iter().any(|column| column.place == place && column.is_exact())
            || plan.columns.len() == self.columns.len()
    }

    /// Whether an update may change a column of a row that is there to another value.
    pub(super) fn changes(&self, plan: &Plan, name: &str) -> bool {
        let is_own = self.columns.iter().any(|column| column.name.eq_ignore_ascii_case(name));
        let place = plan.columns.iter().position(|column| column.name.eq_ignore_ascii_case(name));
        !is_own && place.is_some_and(|place| self.is_set(plan, place))
    }

    /// The key of a row of the table as it is compared, as SQL, each column with its place in a row of the file.
    pub(super) fn compared(&self, row: &str) -> impl Iterator<Item = (String, usize)> {
        self.columns.iter().map(move |column| {
            let sql = format!("{row}.{} COLLATE {}", quoted(&column.name), quoted(&column.collation));
            (sql, column.place)
        })
    }

    fn values<'v>(&self, row: &[Native<'v>]) -> Vec<Native<'v>> {
        self.columns.iter().filter_map(|column| row.get(column.place).copied()).collect()
    }
}

impl KeyColumn {
    fn is_exact(&self) -> bool {
        self.collation.eq_ignore_ascii_case("BINARY")
    }
}

fn set(column: &str) -> String {
    format!("{0} = excluded.{0}", quoted(column))
}

fn no_key(names: &[String], table: &Table) -> Failure {
    let names: Vec<_> = names.iter().map(|name| quoted(name)).collect();
    let cause = format!(
        "on_conflict goes by the key ({}), but the table {} has no unique index on just these columns",
        names.join(", "),
        shown(&table.name)
    );
    Failure::named(FailureName::OptionsInvalid, cause)
}

/// The keys that rows of the file have taken.
pub(super) struct Taken {
    key: Key,
    remember: Statement,
    remember_number: Statement,
    is_taken: Statement,
    is_in_table: Statement,
    met: Arc<AtomicBool>,
}

impl Taken {
    /// No key yet.
    pub(super) fn none(connection: &mut SqliteConnection, key: Key, table: &Table) -> QueryResult<Self> {
        let met = Arc::new(AtomicBool::new(false));
        let noting = Arc::clone(&met);
        function::baton_met_utils::register_nondeterministic_impl(connection, move || {
            noting.store(true, Relaxed);
            true
        })?;
        connection.batch_execute(&format!("DROP TABLE IF EXISTS {SEEN}; {}", definition(&key)))?;
        let column = |part: &KeyColumn| format!("{} COLLATE {}", quoted(&part.name), quoted(&part.collation));
        let columns: Vec<_> = key.columns.iter().map(column).collect();
        let own: Vec<_> = (0..key.columns.len()).map(|place| format!("k{place}")).collect();
        let in_table = format!("SELECT 1 FROM {} WHERE ({}) = (", table.sql, columns.join(", "));
        Ok(Self {
            remember: Statement::new(Kind::Remember, format!("INSERT OR IGNORE INTO {SEEN} VALUES ("), ")"),
            remember_number: Statement::new(
                Kind::Other,
                format!("INSERT OR IGNORE INTO {SEEN} SELECT last_insert_rowid()"),
                "",
            ),
            is_taken: Statement::new(
                Kind::Look,
                format!("SELECT 1 FROM {SEEN} WHERE ({}) = (", own.join(", ")),
                ")",
            ),
            is_in_table: Statement::new(Kind::Other, in_table, ") LIMIT 1"),
            key,
            met,
        })
    }

    /// Whether a row was met since it was asked last.
    pub(super) fn has_met(&self) -> bool {
        self.met.swap(false, Relaxed)
    }

    /// Remembers the key of a row that was written just now. `false` where an earlier one had it.
    pub(super) fn take(&self, connection: &mut SqliteConnection, row: &[Native<'_>]) -> QueryResult<bool> {
        let values = self.key.values(row);
        if !values.contains(&Native::Null) {
            return Ok(self.remember.execute(connection, &values)? > 0);
        }
        // The number that SQLite has given may stand in a later row; any other NULL is like no other.
        if self.key.is_rowid {
            self.remember_number.execute(connection, &[])?;
        }
        Ok(true)
    }

    /// Whether a row of the file that was written has this row's key.
    pub(super) fn is_taken(
        &self,
        connection: &mut SqliteConnection,
        row: &[Native<'_>],
    ) -> QueryResult<bool> {
        self.is_taken.finds(connection, &self.key.values(row))
    }

    /// Whether the table has a row with this row's key.
    pub(super) fn is_in_table(
        &self,
        connection: &mut SqliteConnection,
        row: &[Native<'_>],
    ) -> QueryResult<bool> {
        self.is_in_table.finds(connection, &self.key.values(row))
    }

    /// Forgets the keys.
    pub(super) fn forget(self, connection: &mut SqliteConnection) -> QueryResult<()> {
        connection.batch_execute(&format!("DROP TABLE IF EXISTS {SEEN}"))
    }
}

/// Values are compared as the table's index compares them. They have the form that they have in the table, so that their
/// columns need no type.
fn definition(key: &Key) -> String {
    if let [column] = key.columns.as_slice()
        && column.is_integer
    {
        return "CREATE TEMPORARY TABLE \"baton keys\" (k0 INTEGER PRIMARY KEY)".to_owned();
    }
    let part =
        |(place, column): (usize, &KeyColumn)| format!("k{place} COLLATE {}", quoted(&column.collation));
    let columns: Vec<_> = key.columns.iter().enumerate().map(part).collect();
    let names: Vec<_> = (0..key.columns.len()).map(|place| format!("k{place}")).collect();
    format!(
        "CREATE TEMPORARY TABLE \"baton keys\" ({}, PRIMARY KEY ({})) WITHOUT ROWID",
        columns.join(", "),
        names.join(", ")
    )
}
