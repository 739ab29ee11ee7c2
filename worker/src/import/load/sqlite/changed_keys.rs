//! Keys that an upsert changes while other rows refer to them. While references wait, each value that a row takes away is
//! noted; when all rows are in, it is there again, or nobody refers to it any more, or the row that took it away last is to
//! blame. The notes are undone with the rows that they are about.

use diesel::connection::SimpleConnection as _;
use diesel::sql_types::BigInt;
use diesel::{QueryResult, QueryableByName, RunQueryDsl as _, SqliteConnection, sql_query};

use super::facts::Facts;
use super::incoming_keys::IncomingKey;
use super::keys::Key;
use super::references::Reference;
use super::refusal::Refusal;
use super::statement::{Kind, Statement};
use crate::db::failure::database_failure;
use crate::failure::Failure;
use crate::import::form::native::Native;
use crate::import::header::Plan;
use crate::import::reject::{Misfit, Reason};
use crate::import::table::{Table, quoted};

/// What the rows of an upsert may change under those that refer to it.
pub(super) struct ChangedKeys {
    targets: Vec<Target>,
    /// A reference of the table to itself may be broken by a row that stands before the one that mends it.
    pub(super) are_within: bool,
    /// SQLite may say of one only at the commit that it is broken.
    pub(super) are_deferred: bool,
}

/// Columns that foreign keys refer to.
struct Target {
    columns: Vec<String>,
    incoming_keys: Vec<IncomingKey>,
    /// The table of the values that were taken away.
    moved: String,
    definition: String,
    note: Statement,
    is_changed: Statement,
    is_moved_later: Statement,
    /// Where the values stand in a row: of the upsert's key, and of the columns that it changes.
    places: Vec<usize>,
    /// The row that has the value, for a row of the notes `m`.
    is_there: String,
}

#[derive(QueryableByName)]
struct Blamed {
    #[diesel(sql_type = BigInt)]
    record: i64,
}

impl ChangedKeys {
    /// Those of an upsert by this key; none where nothing that it changes is referred to.
    pub(super) fn of(
        incoming_keys: Vec<IncomingKey>,
        table: &Table,
        facts: &Facts,
        key: &Key,
        plan: &Plan,
    ) -> Option<Self> {
        let mut targets: Vec<Target> = Vec::new();
        for incoming in incoming_keys {
            let is_changed = |name: &&String| key.changes(plan, name);
            if !incoming.there.iter().any(|name| is_changed(&name)) {
                continue;
            }
            match targets.iter_mut().find(|target| is_same(&target.columns, &incoming.there)) {
                Some(target) => target.incoming_keys.push(incoming),
                None => targets.push(Target::new(targets.len(), incoming, table, facts, key, plan)),
            }
        }
        let any = |test: fn(&IncomingKey) -> bool| {
            targets.iter().any(|target| target.incoming_keys.iter().any(test))
        };
        let (are_within, are_deferred) =
            (any(|incoming| incoming.is_self), any(|incoming| incoming.may_be_deferred));
        (!targets.is_empty()).then_some(Self { targets, are_within, are_deferred })
    }

    /// Makes room for the notes.
    pub(super) fn begin(&self, connection: &mut SqliteConnection) -> QueryResult<()> {
        self.targets.iter().try_for_each(|target| connection.batch_execute(&target.definition))
    }

    /// Notes what a row is about to take away.
    pub(super) fn note(
        &self,
        connection: &mut SqliteConnection,
        record: u64,
        row: &[Native<'_>],
    ) -> QueryResult<()> {
        for target in &self.targets {
            let mut values = vec![Native::Integer(record.cast_signed())];
            values.extend(target.values(row));
            target.note.execute(connection, &values)?;
        }
        Ok(())
    }

    /// Whether a row would take anything away.
    pub(super) fn is_any(&self, connection: &mut SqliteConnection, row: &[Native<'_>]) -> QueryResult<bool> {
        for target in &self.targets {
            if target.is_changed.finds(connection, &target.values(row).collect::<Vec<_>>())? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Whether what a row refers to was there until a later row took it away.
    pub(super) fn is_moved_later(
        &self,
        connection: &mut SqliteConnection,
        reference: &Reference,
        record: u64,
        row: &[Native<'_>],
    ) -> Result<bool, Failure> {
        let Some(target) =
            self.targets.iter().find(|target| is_same(&target.columns, &reference.parent_columns))
        else {
            return Ok(false);
        };
        let mut values = vec![Native::Integer(record.cast_signed())];
        values.extend(reference.here.iter().filter_map(|place| row.get(*place).copied()));
        target
            .is_moved_later
            .finds(connection, &values)
            .map_err(|error| database_failure(&error, "look for the row that another one refers to"))
    }

    /// The rows that took away what other rows still refer to.
    pub(super) fn blamed(&self, connection: &mut SqliteConnection) -> Result<Vec<(u64, Refusal)>, Failure> {
        let mut all = Vec::new();
        for target in &self.targets {
            for incoming in &target.incoming_keys {
                let blamed: Vec<Blamed> =
                    sql_query(target.question(incoming)).load(connection).map_err(|error| {
                        database_failure(&error, "look for rows that refer to what was changed")
                    })?;
                let refusal = || {
                    let column =
                        if let [column] = target.columns.as_slice() { Some(column.clone()) } else { None };
                    let says = format!("replaces a key that a row of {} refers to", incoming.name);
                    Refusal { column, misfit: Misfit::new(Reason::ForeignKey, says) }
                };
                all.extend(blamed.iter().map(|Blamed { record }| (record.unsigned_abs(), refusal())));
            }
        }
        Ok(all)
    }

    /// Forgets the notes.
    pub(super) fn forget(&self, connection: &mut SqliteConnection) -> QueryResult<()> {
        let drop =
            |target: &Target| connection.batch_execute(&format!("DROP TABLE IF EXISTS {}", target.moved));
        self.targets.iter().try_for_each(drop)
    }
}

impl Target {
    fn new(
        number: usize,
        incoming: IncomingKey,
        table: &Table,
        facts: &Facts,
        key: &Key,
        plan: &Plan,
    ) -> Self {
        let columns = incoming.there.clone();
        let moved = format!("temp.\"baton moved {number}\"");
        let keys: Vec<_> = key.compared("t").collect();
        let changed = columns.iter().filter(|name| key.changes(plan, name));
        let changed: Vec<_> = changed
            .filter_map(|name| {
                let place = plan.columns.iter().position(|column| column.name.eq_ignore_ascii_case(name))?;
                Some((format!("t.{}", quoted(name)), place))
            })
            .collect();
        let list = |letter: char, count: usize| -> Vec<String> {
            (0..count).map(|place| format!("{letter}{place}")).collect()
        };
        let (known, new) = (list('k', keys.len()), list('n', changed.len()));
        let is_same: Vec<_> =
            keys.iter().zip(&known).map(|((sql, _), k)| format!("{sql} = given.{k}")).collect();
        let is_other: Vec<_> =
            changed.iter().zip(&new).map(|((sql, _), n)| format!("{sql} IS NOT given.{n}")).collect();
        let given: Vec<_> = known.iter().chain(&new).cloned().collect();
        // The row of the file comes first, so that the table is looked into by its key.
        let from = format!(
            "FROM given CROSS JOIN {} t ON {} AND ({})",
            table.sql,
            is_same.join(" AND "),
            is_other.join(" OR ")
        );
        let gone = list('g', columns.len());
        let old: Vec<_> = columns.iter().map(|name| format!("t.{}", quoted(name))).collect();
        let equal = |one: &dyn Fn(&str) -> String, other: &str| -> String {
            gone.iter().map(|g| format!("{} = {other}.{g}", one(g))).collect::<Vec<_>>().join(" AND ")
        };
        let there = old.iter().zip(&gone).map(|(old, g)| format!("{old} = m.{g}")).collect::<Vec<_>>();
        let definitions: Vec<_> =
            gone.iter().zip(facts.compared(table, &columns)).map(|(g, of)| format!("{g} {of}")).collect();
        let names = gone.join(", ");
        Self {
            note: Statement::new(
                Kind::Other,
                format!("WITH given (record, {}) AS (VALUES (", given.join(", ")),
                format!(")) INSERT INTO {moved} SELECT given.record, {} {from}", old.join(", ")),
            ),
            is_changed: Statement::new(
                Kind::Other,
                format!("WITH given ({}) AS (VALUES (", given.join(", ")),
                format!(")) SELECT 1 {from} LIMIT 1"),
            ),
            is_moved_later: Statement::new(
                Kind::Other,
                format!("WITH given (record, {names}) AS (VALUES ("),
                format!(
                    ")) SELECT 1 FROM given CROSS JOIN {moved} m ON {} AND m.record > given.record LIMIT 1",
                    equal(&|g| format!("m.{g}"), "given")
                ),
            ),
            definition: format!(
                "DROP TABLE IF EXISTS {moved}; CREATE TEMPORARY TABLE \"baton moved {number}\" (record INTEGER, {}); \
                 CREATE INDEX temp.\"baton moved {number} by key\" ON \"baton moved {number}\" ({names})",
                definitions.join(", ")
            ),
            places: keys.iter().chain(&changed).map(|(_, place)| *place).collect(),
            is_there: format!("SELECT 1 FROM {} t WHERE {}", table.sql, there.join(" AND ")),
            moved,
            columns,
            incoming_keys: vec![incoming],
        }
    }

    fn values<'v>(&self, row: &[Native<'v>]) -> impl Iterator<Item = Native<'v>> {
        self.places.iter().filter_map(|place| row.get(*place).copied())
    }

    /// Which rows took away last what rows of a child refer to. The key's own type and collation compare.
    fn question(&self, incoming: &IncomingKey) -> String {
        let pairs = incoming.here.iter().enumerate();
        let refers: Vec<_> = pairs.map(|(place, here)| format!("m.g{place} = c.{}", quoted(here))).collect();
        let names: Vec<_> = (0..self.columns.len()).map(|place| format!("m.g{place}")).collect();
        format!(
            "SELECT max(m.record) AS record FROM {} m WHERE NOT EXISTS ({}) \
             AND EXISTS (SELECT 1 FROM {} c WHERE {}) GROUP BY {} ORDER BY 1",
            self.moved,
            self.is_there,
            incoming.sql,
            refers.join(" AND "),
            names.join(", ")
        )
    }
}

fn is_same(one: &[String], other: &[String]) -> bool {
    one.len() == other.len() && one.iter().zip(other).all(|(one, other)| one.eq_ignore_ascii_case(other))
}
