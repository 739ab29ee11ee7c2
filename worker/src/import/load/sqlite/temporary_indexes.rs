//! Indexes for as long as rows wait for others. From the first row that waits, SQLite looks at each row that is written for those
//! that refer to it, and reads a whole table for that where the columns that refer have no index. An index that the table does
//! not have is made then, and goes again at the end of the load.

use diesel::connection::SimpleConnection as _;
use diesel::sql_types::Text;
use diesel::{QueryResult, QueryableByName, RunQueryDsl as _, SqliteConnection, sql_query};

use super::facts::Facts;
use super::incoming_keys::IncomingKey;
use crate::import::table::quoted;

/// The indexes that may be missing: one for each foreign key that refers to the table.
#[derive(Debug)]
pub(super) struct TemporaryIndexes {
    all: Vec<TemporaryIndex>,
}

#[derive(Debug)]
struct TemporaryIndex {
    name: String,
    /// The search that SQLite makes, as SQL.
    search: String,
    definition: String,
    may_be_deferred: bool,
}

#[derive(QueryableByName)]
struct Plan {
    #[diesel(sql_type = Text)]
    detail: String,
}

impl TemporaryIndexes {
    pub(super) fn of(incoming_keys: &[IncomingKey], facts: &Facts) -> Self {
        let all = incoming_keys
            .iter()
            .enumerate()
            .map(|(number, incoming)| TemporaryIndex::of(number, incoming, facts));
        Self { all: all.collect() }
    }

    /// Makes those that are missing.
    pub(super) fn make(&self, connection: &mut SqliteConnection) -> QueryResult<()> {
        self.all.iter().try_for_each(|index| index.make(connection))
    }

    /// Makes those that are missing where only deferred foreign keys wait.
    pub(super) fn make_deferred(&self, connection: &mut SqliteConnection) -> QueryResult<()> {
        self.all.iter().filter(|index| index.may_be_deferred).try_for_each(|index| index.make(connection))
    }

    /// Drops those that were made.
    pub(super) fn drop(&self, connection: &mut SqliteConnection) -> QueryResult<()> {
        self.all.iter().try_for_each(|index| {
            connection.batch_execute(&format!("DROP INDEX IF EXISTS \"main\".{}", quoted(&index.name)))
        })
    }
}

impl TemporaryIndex {
    fn of(number: usize, incoming: &IncomingKey, facts: &Facts) -> Self {
        let name = format!("baton waiting {number}");
        // Values compare by the collation of what is referred to.
        let collations = incoming.there.iter().map(|there| quoted(&facts.collation(&incoming.there, there)));
        let columns: Vec<_> = incoming.here.iter().map(|column| quoted(column)).zip(collations).collect();
        let each = |one: &dyn Fn(&(String, String)) -> String, between: &str| -> String {
            columns.iter().map(one).collect::<Vec<_>>().join(between)
        };
        let wanted = each(&|(column, collation)| format!("{column} COLLATE {collation} = ?"), " AND ");
        let indexed = each(&|(column, collation)| format!("{column} COLLATE {collation}"), ", ");
        Self {
            search: format!("EXPLAIN QUERY PLAN SELECT 1 FROM {} WHERE {wanted}", incoming.sql),
            definition: format!(
                "CREATE INDEX \"main\".{} ON {} ({indexed})",
                quoted(&name),
                quoted(&incoming.name)
            ),
            name,
            may_be_deferred: incoming.may_be_deferred,
        }
    }

    fn make(&self, connection: &mut SqliteConnection) -> QueryResult<()> {
        let plan: Vec<Plan> = sql_query(&self.search).load(connection)?;
        if plan.iter().any(|step| step.detail.starts_with("SCAN")) {
            connection.batch_execute(&self.definition)?;
        }
        Ok(())
    }
}
