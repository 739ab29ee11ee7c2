//! Rows kept beside the database, in a temporary file of SQLite's own: what is undone there is still known here.

use diesel::connection::SimpleConnection as _;
use diesel::result::{DatabaseErrorKind, Error};
use diesel::sql_types::{BigInt, Binary, Integer, Nullable, Text};
use diesel::{Connection as _, QueryResult, QueryableByName, RunQueryDsl as _, SqliteConnection, sql_query};

use crate::import::form::native::Native;
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
    /// It takes away what another row refers to.
    Replaces(Refusal),
}

/// The number of [`State::Orphan`]. From here on a row is not written again.
pub(super) const ORPHAN: i32 = 3;

/// The number of [`State::Replaces`].
const REPLACES: i32 = 4;

/// SQL: rows that are in the table, or may come to be there in place of others. What a row holds by itself (a check, a value
/// that must be there) keeps it out for good.
pub(super) const MAY_COME: &str = "(state < 2 OR (state = 2 AND reason < 3))";

/// The reasons for which a database refuses a row. The last two lie in the row alone, as [`MAY_COME`] has it.
const REASONS: [Reason; 5] =
    [Reason::Refused, Reason::Unique, Reason::ForeignKey, Reason::Check, Reason::Required];

/// The number of a reason.
pub(super) fn reason_number(reason: Reason) -> i64 {
    REASONS.iter().position(|other| *other == reason).unwrap_or_default() as i64
}

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
            ORPHAN => State::Orphan(refusal()),
            _ => State::Replaces(refusal()),
        }
    }
}

/// The rows.
pub(super) struct Spool {
    pub(super) connection: SqliteConnection,
    keep: Statement,
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
             CREATE TABLE orphans (record INT, reference INT, PRIMARY KEY (record, reference)) WITHOUT ROWID; \
             CREATE TABLE unwritten (record INTEGER PRIMARY KEY); BEGIN",
        )?;
        let columns = "record, bytes, state, reason, column_name, says";
        let keep =
            Statement::new(Kind::Insert, format!("INSERT OR REPLACE INTO kept ({columns}) VALUES ("), ")");
        Ok(Self { connection, keep })
    }

    /// Keeps a row, or what became of it now.
    pub(super) fn keep(&mut self, record: u64, bytes: &[u8], state: &State) -> QueryResult<()> {
        let (number, refusal) = match state {
            State::Written => (0, None),
            State::LeftOut => (1, None),
            State::Refused(refusal) => (2, Some(refusal)),
            State::Orphan(refusal) => (i64::from(ORPHAN), Some(refusal)),
            State::Replaces(refusal) => (i64::from(REPLACES), Some(refusal)),
        };
        let reason = refusal.map(|refusal| reason_number(refusal.misfit.reason));
        let column = refusal.and_then(|refusal| refusal.column.as_deref());
        let says = refusal.map_or("", |refusal| refusal.misfit.says.as_ref());
        let values = [
            Native::Integer(record.cast_signed()),
            Native::Blob(bytes),
            Native::Integer(number),
            Native::Integer(reason.unwrap_or_default()),
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

    /// The first rows of those that are ready to come back.
    pub(super) fn ready(&mut self) -> QueryResult<Vec<Kept>> {
        sql_query(format!(
            "SELECT k.record, bytes, state, reason, column_name, says FROM ready r \
             CROSS JOIN kept k ON k.record = r.record ORDER BY r.record LIMIT {PAGE}"
        ))
        .load(&mut self.connection)
    }

    /// Remembers that a row refers to nothing, and by which reference.
    pub(super) fn note_orphan(&mut self, record: i64, reference: usize) -> QueryResult<()> {
        sql_query("INSERT INTO orphans VALUES (?, ?)")
            .bind::<BigInt, _>(record)
            .bind::<BigInt, _>(reference as i64)
            .execute(&mut self.connection)
            .map(|_| ())
    }

    /// Takes a row out for good.
    pub(super) fn refuse(&mut self, record: u64, refusal: &Refusal) -> QueryResult<()> {
        let Refusal { column, misfit } = refusal;
        sql_query(format!(
            "UPDATE kept SET state = {REPLACES}, reason = ?, column_name = ?, says = ? WHERE record = ? AND state = 0"
        ))
        .bind::<BigInt, _>(reason_number(misfit.reason))
        .bind::<Nullable<Text>, _>(column.as_deref())
        .bind::<Text, _>(misfit.says.as_ref())
        .bind::<BigInt, _>(record.cast_signed())
        .execute(&mut self.connection)
        .map(|_| ())
    }
}
