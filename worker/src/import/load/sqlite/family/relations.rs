//! What rows of a file are known by and what they refer to, and which of them can refer to nothing whatever becomes of the
//! others: no row of the table is what they refer to, and no row of the file can be. Other rows may refer to something once
//! some are gone: a row of the same key may take the place of one that is left out.

use diesel::connection::SimpleConnection as _;
use diesel::sql_types::{BigInt, Nullable, Text};
use diesel::{QueryResult, QueryableByName, RunQueryDsl as _, SqliteConnection, sql_query};

use super::spool::{Kept, MAY_COME, ORPHAN, reason_number};
use crate::import::form::native::Native;
use crate::import::load::sqlite::references::{Missing, References};
use crate::import::load::sqlite::statement::{Kind, Statement};

/// Those of one round.
pub(super) struct Relations {
    all: Vec<Relation>,
}

/// By one reference.
struct Relation {
    insert: Statement,
    /// Whether the row `c` refers to the row `p`, as SQL.
    refers: String,
    /// Whether it refers to anything.
    has_values: String,
}

/// SQL: all rows `o`.
const ANY: &str = "TRUE";

/// SQL: those that are in the table.
const IN_TABLE: &str = "EXISTS (SELECT 1 FROM kept k WHERE k.record = o.record AND k.state = 0)";

#[derive(QueryableByName)]
struct Number {
    #[diesel(sql_type = BigInt)]
    number: i64,
}

impl Relations {
    /// Makes room for them. Values compare as in the table.
    pub(super) fn new(connection: &mut SqliteConnection, references: &References) -> QueryResult<Self> {
        let mut all = Vec::new();
        for (number, reference) in references.within().enumerate() {
            let columns = |letter: char| -> String {
                let definitions = reference.compared.iter().enumerate();
                definitions.map(|(place, of)| format!("{letter}{place} {of}")).collect::<Vec<_>>().join(", ")
            };
            let joined = |one: &dyn Fn(usize) -> String, between: &str| -> String {
                (0..reference.compared.len()).map(one).collect::<Vec<_>>().join(between)
            };
            let (known, referred) =
                (joined(&|at| format!("k{at}"), ", "), joined(&|at| format!("r{at}"), ", "));
            connection.batch_execute(&format!(
                "DROP TABLE IF EXISTS related{number}; \
                 CREATE TABLE related{number} (record INTEGER PRIMARY KEY, is_there INT, {}, {}); \
                 CREATE INDEX known{number} ON related{number} ({known}); \
                 CREATE INDEX children{number} ON related{number} ({referred})",
                columns('k'),
                columns('r')
            ))?;
            all.push(Relation {
                insert: Statement::new(Kind::Other, format!("INSERT INTO related{number} VALUES ("), ")"),
                refers: joined(&|at| format!("c.r{at} = p.k{at}"), " AND "),
                has_values: joined(&|at| format!("c.r{at} IS NOT NULL"), " AND "),
            });
        }
        connection.batch_execute(
            "DROP TABLE IF EXISTS gone; CREATE TABLE gone (record INTEGER PRIMARY KEY, reference INT, step INT); \
             CREATE INDEX steps ON gone (step); \
             DROP TABLE IF EXISTS guessed; CREATE TABLE guessed (record INTEGER PRIMARY KEY)",
        )?;
        Ok(Self { all })
    }

    /// Adds a row. `is_there` says of each reference whether the table has what it refers to without any row of the file.
    pub(super) fn add(
        &self,
        connection: &mut SqliteConnection,
        kept: &Kept,
        row: &[Native<'_>],
        references: &References,
        is_there: &[bool],
    ) -> QueryResult<()> {
        for ((reference, relation), is_there) in references.within().zip(&self.all).zip(is_there) {
            let there = reference.there.as_deref().unwrap_or_default();
            let mut values = vec![Native::Integer(kept.record), Native::Integer(i64::from(*is_there))];
            values.extend(there.iter().chain(&reference.here).filter_map(|place| row.get(*place).copied()));
            relation.insert.execute(connection, &values)?;
        }
        Ok(())
    }

    /// Marks rows of the table that can refer to nothing: of the orphans, and of the rows that hang on them. Where every orphan
    /// might yet refer to something, all of them are marked: the file has come to rest without what they refer to. Then rows that
    /// hang on them are guessed to refer to nothing, too, though one of the same key that is left out may take its place: a chain
    /// would lose one row a round else. Returns whether any was guessed; they are in the table `guessed`.
    pub(super) fn mark(&self, connection: &mut SqliteConnection, missing: &[Missing]) -> QueryResult<bool> {
        for (number, relation) in self.all.iter().enumerate() {
            // A row that is not in the table now may be an orphan, too, and is then nothing that others could refer to.
            connection.batch_execute(&format!(
                "INSERT OR IGNORE INTO gone SELECT c.record, {number}, 0 FROM related{number} c \
                 JOIN kept k ON k.record = c.record WHERE NOT c.is_there AND {} \
                 AND (k.state > 0 OR EXISTS (SELECT 1 FROM orphans o WHERE o.record = c.record AND o.reference = {number})) \
                 AND NOT EXISTS (SELECT 1 FROM related{number} p WHERE {})",
                relation.has_values, relation.refers
            ))?;
        }
        let step = self.follow(connection, 0, ANY)?;
        let marked =
            "SELECT count(*) AS number FROM gone g JOIN kept k ON k.record = g.record WHERE k.state = 0";
        if sql_query(marked).get_result::<Number>(connection)?.number == 0 {
            sql_query(
                "INSERT OR IGNORE INTO gone SELECT record, min(reference), ? FROM orphans GROUP BY record",
            )
            .bind::<BigInt, _>(step)
            .execute(connection)?;
            let guess = self.follow(connection, step, ANY)?;
            sql_query("UPDATE gone SET step = ?").bind::<BigInt, _>(guess - 1).execute(connection)?;
            self.follow(connection, guess - 1, IN_TABLE)?;
            sql_query("INSERT INTO guessed SELECT record FROM gone WHERE step >= ?")
                .bind::<BigInt, _>(guess)
                .execute(connection)?;
        }
        // Rows that are not in the table now would be orphans as soon as they are: they go with the others, and not one a round.
        connection.batch_execute(&format!(
            "INSERT OR IGNORE INTO unwritten SELECT g.record FROM gone g JOIN kept k ON k.record = g.record \
             WHERE state > 0 AND {MAY_COME}"
        ))?;
        for (number, Missing { column, misfit, .. }) in missing.iter().enumerate() {
            sql_query(format!(
                "UPDATE kept SET state = {ORPHAN}, reason = ?, column_name = ?, says = ? \
                 WHERE {MAY_COME} AND record IN (SELECT record FROM gone WHERE reference = ?)"
            ))
            .bind::<BigInt, _>(reason_number(misfit.reason))
            .bind::<Nullable<Text>, _>(column.as_deref())
            .bind::<Text, _>(misfit.says.as_ref())
            .bind::<BigInt, _>(number as i64)
            .execute(connection)?;
        }
        connection.batch_execute("DELETE FROM orphans")?;
        let guessed = "SELECT count(*) AS number FROM guessed";
        Ok(sql_query(guessed).get_result::<Number>(connection)?.number > 0)
    }

    /// Adds the rows that refer to rows of this step alone, those that refer to them, and so on. `others` is what other rows of the
    /// same key can be referred to. Returns the step after the last.
    fn follow(&self, connection: &mut SqliteConnection, first: i64, others: &str) -> QueryResult<i64> {
        let mut step = first;
        loop {
            let mut found = 0;
            for (number, Relation { refers, .. }) in self.all.iter().enumerate() {
                let same = refers.replace("p.", "o.");
                found += sql_query(format!(
                    "INSERT OR IGNORE INTO gone SELECT c.record, {number}, g.step + 1 FROM gone g \
                     CROSS JOIN related{number} p ON p.record = g.record CROSS JOIN related{number} c ON {refers} \
                     WHERE g.step = ? AND NOT c.is_there AND NOT EXISTS (SELECT 1 FROM related{number} o \
                       WHERE {same} AND {others} AND NOT EXISTS (SELECT 1 FROM gone e WHERE e.record = o.record))"
                ))
                .bind::<BigInt, _>(step)
                .execute(connection)?;
            }
            step += 1;
            if found == 0 {
                return Ok(step);
            }
        }
    }
}
