//! Rows kept beside the database, in a temporary file of SQLite's own: what is undone there is still known here.

use diesel::connection::SimpleConnection as _;
use diesel::result::{DatabaseErrorKind, Error};
use diesel::sql_types::{BigInt, Binary, Integer, Nullable, Text};
use diesel::{Connection as _, QueryResult, QueryableByName, RunQueryDsl as _, SqliteConnection, sql_query};

use crate::import::form::native::{self, Native};
use crate::import::load::sqlite::references::{Missing, Reference, References};
use crate::import::load::sqlite::refusal::Refusal;
use crate::import::load::sqlite::statement::{Kind, Statement};
use crate::import::reject::{Misfit, Reason};

/// Rows that are read at a time.
const PAGE: usize = 500;

/// What became of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// It was written.
    Written,
    /// It was not, and is no reject.
    LeftOut,
    /// The database refuses it.
    Refused(Refusal),
    /// It refers to a row that is not there.
    Orphan(Refusal),
}

/// The reasons for which a database refuses a row.
const REASONS: [Reason; 5] =
    [Reason::Refused, Reason::Unique, Reason::ForeignKey, Reason::Check, Reason::Required];

/// A row.
#[derive(QueryableByName)]
pub(super) struct Kept {
    #[diesel(sql_type = BigInt)]
    pub(super) record: i64,
    #[diesel(sql_type = Binary)]
    pub(super) bytes: Vec<u8>,
    #[diesel(sql_type = Integer)]
    state: i32,
    #[diesel(sql_type = Integer)]
    reason: i32,
    #[diesel(sql_type = Nullable<Text>)]
    column_name: Option<String>,
    #[diesel(sql_type = Text)]
    says: String,
}

impl Kept {
    pub(super) fn record(&self) -> u64 {
        self.record.unsigned_abs()
    }

    pub(super) fn state(&self) -> State {
        let refusal = || {
            let reason = usize::try_from(self.reason).ok().and_then(|number| REASONS.get(number));
            let misfit = Misfit::new(reason.copied().unwrap_or(Reason::Refused), self.says.clone());
            Refusal { column: self.column_name.clone(), misfit }
        };
        match self.state {
            0 => State::Written,
            1 => State::LeftOut,
            2 => State::Refused(refusal()),
            _ => State::Orphan(refusal()),
        }
    }
}

/// The rows.
pub(super) struct Spool {
    connection: SqliteConnection,
    keep: Statement,
    relations: Vec<Relation>,
}

/// What rows are known by and what they refer to, by one reference.
struct Relation {
    insert: Statement,
    columns: usize,
}

impl Spool {
    pub(super) fn new() -> QueryResult<Self> {
        // A database without a name is a temporary file, which goes with its connection.
        let mut connection = SqliteConnection::establish("").map_err(|error| {
            Error::DatabaseError(DatabaseErrorKind::UnableToSendCommand, Box::new(error.to_string()))
        })?;
        connection.batch_execute(
            "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; \
             CREATE TABLE kept (record INTEGER PRIMARY KEY, bytes BLOB, state INT, reason INT, column_name TEXT, says TEXT); \
             CREATE TABLE orphans (record INTEGER PRIMARY KEY, reference INT); BEGIN",
        )?;
        let columns = "record, bytes, state, reason, column_name, says";
        let keep =
            Statement::new(Kind::Insert, format!("INSERT OR REPLACE INTO kept ({columns}) VALUES ("), ")");
        Ok(Self { connection, keep, relations: Vec::new() })
    }

    /// Keeps a row, or what became of it now.
    pub(super) fn keep(&mut self, record: u64, bytes: &[u8], state: &State) -> QueryResult<()> {
        let (number, refusal) = match state {
            State::Written => (0, None),
            State::LeftOut => (1, None),
            State::Refused(refusal) => (2, Some(refusal)),
            State::Orphan(refusal) => (3, Some(refusal)),
        };
        let reason =
            refusal.and_then(|refusal| REASONS.iter().position(|reason| *reason == refusal.misfit.reason));
        let column = refusal.and_then(|refusal| refusal.column.as_deref());
        let says = refusal.map_or("", |refusal| refusal.misfit.says.as_ref());
        let values = [
            Native::Integer(record.cast_signed()),
            Native::Blob(bytes),
            Native::Integer(number),
            Native::Integer(reason.unwrap_or_default() as i64),
            column.map_or(Native::Null, Native::Text),
            Native::Text(says),
        ];
        self.keep.execute(&mut self.connection, &values).map(|_| ())
    }

    /// The next rows of a state, in the file's order.
    pub(super) fn page(&mut self, after: Option<i64>, condition: &str) -> QueryResult<Vec<Kept>> {
        sql_query(format!(
            "SELECT record, bytes, state, reason, column_name, says FROM kept \
             WHERE record > ? AND {condition} ORDER BY record LIMIT {PAGE}"
        ))
        .bind::<BigInt, _>(after.unwrap_or(-1))
        .load(&mut self.connection)
    }

    /// Remembers that a row refers to nothing, and by which reference.
    pub(super) fn note_orphan(&mut self, record: i64, reference: usize) -> QueryResult<()> {
        sql_query("INSERT OR REPLACE INTO orphans VALUES (?, ?)")
            .bind::<BigInt, _>(record)
            .bind::<BigInt, _>(reference as i64)
            .execute(&mut self.connection)
            .map(|_| ())
    }

    /// Makes room for what each row is known by, and what it refers to, by a reference to its own table.
    pub(super) fn relate(&mut self, number: usize, reference: &Reference) -> QueryResult<()> {
        let columns = reference.here.len();
        let names = |letter: char| -> String {
            (0..columns).map(|place| format!("{letter}{place}")).collect::<Vec<_>>().join(", ")
        };
        let (known, refers) = (names('k'), names('r'));
        self.connection.batch_execute(&format!(
            "DROP TABLE IF EXISTS related{number}; \
             CREATE TABLE related{number} (record INTEGER PRIMARY KEY, {known}, {refers}); \
             CREATE INDEX children{number} ON related{number} ({refers})"
        ))?;
        self.relations.truncate(number);
        let insert = Statement::new(Kind::Other, format!("INSERT INTO related{number} VALUES ("), ")");
        self.relations.push(Relation { insert, columns });
        Ok(())
    }

    /// Fills that with rows.
    pub(super) fn note_relations(&mut self, page: &[Kept], references: &References) -> QueryResult<()> {
        for kept in page {
            let row: Vec<_> = native::read_row(&kept.bytes).collect();
            for (reference, relation) in references.within().zip(&self.relations) {
                let there = reference.there.as_deref().unwrap_or_default();
                let places = there.iter().chain(&reference.here);
                let mut values = vec![Native::Integer(kept.record)];
                values.extend(places.filter_map(|place| row.get(*place).copied()));
                relation.insert.execute(&mut self.connection, &values)?;
            }
        }
        Ok(())
    }

    /// Marks those that refer to nothing, those that refer to them, and so on.
    pub(super) fn mark_orphans(&mut self, missing: &[Missing]) -> QueryResult<()> {
        let children = |(number, relation): (usize, &Relation)| {
            let same: Vec<_> =
                (0..relation.columns).map(|place| format!("c.r{place} = p.k{place}")).collect();
            format!(
                " UNION SELECT c.record, {number} FROM gone g JOIN related{number} p ON p.record = g.record \
                 JOIN related{number} c ON {}",
                same.join(" AND ")
            )
        };
        let children: String = self.relations.iter().enumerate().map(children).collect();
        self.connection.batch_execute(&format!(
            "CREATE TEMP TABLE IF NOT EXISTS all_gone (record INTEGER PRIMARY KEY, reference INT); \
             WITH RECURSIVE gone (record, reference) AS (SELECT record, reference FROM orphans{children}) \
             INSERT OR IGNORE INTO all_gone SELECT record, reference FROM gone; DELETE FROM orphans"
        ))?;
        for (number, missing) in missing.iter().enumerate() {
            let reason =
                REASONS.iter().position(|reason| *reason == missing.misfit.reason).unwrap_or_default();
            sql_query(
                "UPDATE kept SET state = 3, reason = ?, column_name = ?, says = ? \
                 WHERE record IN (SELECT record FROM all_gone WHERE reference = ?)",
            )
            .bind::<BigInt, _>(reason as i64)
            .bind::<Nullable<Text>, _>(missing.column.as_deref())
            .bind::<Text, _>(missing.misfit.says.as_ref())
            .bind::<BigInt, _>(number as i64)
            .execute(&mut self.connection)?;
        }
        self.connection.batch_execute("DELETE FROM all_gone")
    }
}
