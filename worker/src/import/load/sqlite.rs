//! SQLite: one prepared statement, executed for each row, in the order of the key. A row that SQLite refuses is undone by
//! itself and becomes a reject.

mod statement;

use diesel::connection::SimpleConnection as _;
use diesel::result::{DatabaseErrorKind, Error};
use diesel::sql_types::BigInt;
use diesel::{QueryResult, QueryableByName, RunQueryDsl as _, SqliteConnection, sql_query};
use statemachine::{FailureName, OnConflict};

use self::statement::{Statement, Statements};
use super::{Context, Load, Loaded, Refused, conflict_key};
use crate::db::failure::{database_failure, described};
use crate::db::{Connection, LEAVE_IT};
use crate::failure::Failure;
use crate::import::batch::Batch;
use crate::import::form::Form;
use crate::import::form::native::{self, Native};
use crate::import::reading::interrupted;
use crate::import::reject::{Misfit, Reason, Reject};
use crate::import::rejects::Verdict;
use crate::import::table::quoted;

/// Rows between two looks at the request to stop.
const ROWS_PER_LOOK: usize = 1000;

/// How many bytes of rows a batch has: less than for a database whose pages lie in another process.
const BATCH_BYTES: usize = 12 * 1024 * 1024;

/// What the pages of a load may take in memory: SQLite's own 2 MB hold few of an index's pages.
const CACHE_KIB: u32 = 6 * 1024;

/// A savepoint that is there as long as the transaction is: a trigger's RAISE(ROLLBACK) ends it, and what came after would
/// be committed row by row.
const ALIVE: &str = "\"baton alive\"";

/// Rows on their way into a table.
pub(super) struct Loader<'a> {
    context: Context<'a>,
    insert: Statement,
    /// Remembers the keys of the file, for an upsert.
    remember: Option<(Statement, Vec<usize>)>,
    rows_before: i64,
    counts: Counts,
}

/// What became of the rows so far.
#[derive(Clone, Copy, Default)]
struct Counts {
    written: u64,
    skipped: u64,
    duplicates: u64,
}

/// What follows when SQLite refuses a row.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Refusals {
    AreTheEnd,
    AreRejects,
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

impl<'a> Loader<'a> {
    pub(super) fn new(connection: &mut Connection, context: Context<'a>) -> Result<Self, Failure> {
        let connection = sqlite(connection)?;
        let Context { job, table, plan, .. } = context;
        if job.options.rebuild_indexes {
            let cause = "rebuild_indexes is for PostgreSQL; SQLite's indexes stay as they are";
            return Err(Failure::named(FailureName::OptionsInvalid, cause));
        }
        let failed = |error: Error| database_failure(&error, "prepare the load");
        let key = conflict_key(table, plan, &job.options)?;
        connection
            .batch_execute(&format!("PRAGMA cache_size = -{CACHE_KIB}; {LEAVE_IT}; SAVEPOINT {ALIVE}"))
            .map_err(failed)?;
        let statements = Statements::fresh(connection);
        let columns: Vec<_> = plan.columns.iter().map(|column| quoted(&column.name)).collect();
        let conflict = conflict(&columns, &key, job.options.on_conflict);
        let insert =
            statements.insert(&format!("INSERT INTO {} ({})", table.sql, columns.join(", ")), &conflict);
        let remember = if key.is_empty() {
            None
        } else {
            check_key(connection, &insert, columns.len())?;
            Some((statements.remember(connection, &key).map_err(failed)?, positions(&key, plan)))
        };
        let rows_before = if key.is_empty() { 0 } else { count(connection, &table.sql).map_err(failed)? };
        Ok(Self { context, insert, remember, rows_before, counts: Counts::default() })
    }

    /// Writes one row, or counts it where another one has its key.
    fn write_row(&mut self, connection: &mut SqliteConnection, values: &[Native<'_>]) -> QueryResult<()> {
        if let Some((remember, positions)) = &self.remember {
            let key: Vec<_> =
                positions.iter().filter_map(|position| values.get(*position).copied()).collect();
            if remember.execute(connection, &key)? == 0 {
                // Skipped, the first one of the file counts; updated, the last one.
                self.counts.duplicates += 1;
                self.insert.execute(connection, values)?;
                return Ok(());
            }
        }
        let written = self.insert.execute(connection, values)?;
        self.counts.written += written as u64;
        self.counts.skipped += u64::from(written == 0);
        Ok(())
    }

    fn reject(
        &self,
        connection: &mut SqliteConnection,
        record: u64,
        error: &Error,
    ) -> Result<Verdict, Failure> {
        // An inner savepoint would do as well; this one also tells whether the transaction is still there.
        connection
            .batch_execute(&format!("RELEASE {ALIVE}; SAVEPOINT {ALIVE}"))
            .map_err(|_| database_failure(error, "write rows; a trigger has ended the transaction"))?;
        if let Some((remember, _)) = &self.remember {
            remember.take_back(connection).map_err(|error| database_failure(&error, "forget a row's key"))?;
        }
        self.context.job.progress.add_rows(0, 1);
        Ok(self.context.rejects.add(reject_of(record, error)))
    }

    /// Writes the rows of a batch behind a savepoint. How many were handled, and count as progress; and, where it ended early, why.
    fn write_rows(
        &mut self,
        connection: &mut SqliteConnection,
        batch: &Batch,
        refusals: Refusals,
    ) -> Result<(u64, Option<Verdict>), Failure> {
        connection
            .batch_execute(&format!("RELEASE {ALIVE}; SAVEPOINT {ALIVE}"))
            .map_err(|error| database_failure(&error, "set a savepoint"))?;
        let progress = &self.context.job.progress;
        let mut rows = 0;
        let mut values = Vec::with_capacity(self.context.plan.columns.len());
        for (number, row) in batch.rows().enumerate() {
            values.clear();
            values.extend(native::read_row(row.bytes));
            match self.write_row(connection, &values) {
                Ok(()) => {
                    rows += 1;
                    progress.add_rows(1, 0);
                }
                Err(error) if is_the_rows_fault(&error) => {
                    if refusals == Refusals::AreTheEnd {
                        return Ok((rows, Some(Verdict::Within)));
                    }
                    let verdict = self.reject(connection, row.record, &error)?;
                    if verdict == Verdict::Enough {
                        return Ok((rows, Some(verdict)));
                    }
                }
                Err(error) => {
                    return Err(database_failure(
                        &error,
                        &format!("write rows into {:?}", self.context.table.name),
                    ));
                }
            }
            if number % ROWS_PER_LOOK == 0 && progress.stop_requested() {
                return Err(interrupted());
            }
        }
        Ok((rows, None))
    }
}

impl Load for Loader<'_> {
    fn form(&self) -> Form {
        Form::Native
    }

    fn batch_bytes(&self) -> usize {
        BATCH_BYTES
    }

    fn sorted_by(&self) -> Option<usize> {
        let key = self.context.table.primary_key.first()?;
        self.context.plan.columns.iter().position(|column| column.name == *key)
    }

    fn write(&mut self, connection: &mut Connection, batch: &mut Batch) -> Result<Verdict, Refused> {
        let connection = sqlite(connection)?;
        let before = self.counts;
        let (rows, refused) = self.write_rows(connection, batch, Refusals::AreTheEnd)?;
        if refused.is_none() {
            return Ok(Verdict::Within);
        }
        self.context.job.progress.take_back_rows(rows);
        // Of two rows that cannot both be there the first one of the file is to stay: once more, in the file's order.
        connection
            .batch_execute(&format!("ROLLBACK TO {ALIVE}"))
            .map_err(|error| database_failure(&error, "write rows; a trigger has ended the transaction"))?;
        self.counts = before;
        batch.unsort();
        let (_, refused) = self.write_rows(connection, batch, Refusals::AreRejects)?;
        Ok(refused.unwrap_or_else(|| self.context.rejects.verdict()))
    }

    fn finish(self, connection: &mut Connection) -> Result<Loaded, Refused> {
        let connection = sqlite(connection)?;
        let failed = |error: Error| database_failure(&error, "finish the load");
        let Counts { written, skipped, duplicates } = self.counts;
        let mut loaded = Loaded { rows: written, skipped, duplicates, ..Loaded::default() };
        if let Some((remember, _)) = self.remember {
            let rows = count(connection, &self.context.table.sql).map_err(failed)?;
            let inserted = (rows - self.rows_before).unsigned_abs();
            if self.context.job.options.on_conflict == OnConflict::Update {
                loaded.updated = written.saturating_sub(inserted);
            }
            remember.forget(connection).map_err(failed)?;
        }
        connection.batch_execute(&format!("RELEASE {ALIVE}")).map_err(failed)?;
        Ok(loaded)
    }
}

fn conflict(columns: &[String], key: &[String], on_conflict: OnConflict) -> String {
    let key: Vec<_> = key.iter().map(|name| quoted(name)).collect();
    let changed: Vec<_> = columns
        .iter()
        .filter(|column| !key.contains(column))
        .map(|column| format!("{column} = excluded.{column}"))
        .collect();
    match on_conflict {
        OnConflict::Error => String::new(),
        OnConflict::Update if !changed.is_empty() => {
            format!(" ON CONFLICT ({}) DO UPDATE SET {}", key.join(", "), changed.join(", "))
        }
        OnConflict::Skip | OnConflict::Update => format!(" ON CONFLICT ({}) DO NOTHING", key.join(", ")),
    }
}

/// SQLite says whether there is such a key when it reads the statement.
fn check_key(connection: &mut SqliteConnection, insert: &Statement, columns: usize) -> Result<(), Failure> {
    let explained = sql_query(format!("EXPLAIN {}", insert.with_nulls(columns))).execute(connection);
    explained.map(|_| ()).map_err(|error| {
        Failure::named(
            FailureName::OptionsInvalid,
            format!("the table has no such key for on_conflict: {}", described(&error)),
        )
    })
}

fn positions(key: &[String], plan: &crate::import::header::Plan) -> Vec<usize> {
    key.iter().filter_map(|name| plan.columns.iter().position(|column| column.name == *name)).collect()
}

fn count(connection: &mut SqliteConnection, table: &str) -> QueryResult<i64> {
    let count: Count = sql_query(format!("SELECT count(*) AS count FROM {table}")).get_result(connection)?;
    Ok(count.count)
}

/// Whether the row breaks a rule of the table; a full disk or a lock is no row's fault.
fn is_the_rows_fault(error: &Error) -> bool {
    matches!(
        database_failure(error, ""),
        Failure::Named { name: FailureName::ConstraintViolation | FailureName::Internal, .. }
    ) && matches!(error, Error::DatabaseError(..))
}

fn reject_of(record: u64, error: &Error) -> Reject {
    use DatabaseErrorKind as Kind;
    let reason = match error {
        Error::DatabaseError(Kind::UniqueViolation, _) => Reason::Unique,
        Error::DatabaseError(Kind::ForeignKeyViolation, _) => Reason::ForeignKey,
        Error::DatabaseError(Kind::CheckViolation, _) => Reason::Check,
        Error::DatabaseError(Kind::NotNullViolation, _) => Reason::Required,
        _ => Reason::Refused,
    };
    let words = described(error);
    // SQLite names the columns of a key or a NOT NULL: `UNIQUE constraint failed: people.id`.
    let column = words
        .rsplit_once(" failed: ")
        .and_then(|(_, columns)| columns.split_once('.'))
        .map(|(_, column)| column.to_owned())
        .filter(|column| !column.contains(", ") && matches!(reason, Reason::Unique | Reason::Required));
    let says = format!("is refused by the database: {words}");
    Reject::of_database(record, column, Misfit::new(reason, says))
}

fn sqlite(connection: &mut Connection) -> Result<&mut SqliteConnection, Failure> {
    match connection {
        Connection::Sqlite(connection) => Ok(connection),
        Connection::Postgres(_) => Err(super::wrong_database()),
    }
}
