//! PostgreSQL. Rows go straight into the table by COPY, batch by batch; a batch that the database refuses is staged and
//! sifted. Where rows may be there already, or refer to rows that come later, all of them are staged and written at the end
//! by one statement.

mod constraint;
mod copy;
mod insertion;
mod key;
mod rebuild;
mod sift;
mod staging;

use diesel::Connection as _;
use statemachine::OnConflict;

use self::copy::{CopyError, Extra, copy};
use self::insertion::Insertion;
use self::rebuild::Rebuild;
use self::sift::{Sift, rows_may_be_guilty};
use self::staging::Staging;
use super::{Context, Load, Loaded, Refused};
use crate::db::Connection;
use crate::db::Session;
use crate::db::failure::database_failure;
use crate::failure::Failure;
use crate::import::batch::Batch;
use crate::import::form::Form;
use crate::import::reading::interrupted;
use crate::import::rejects::Verdict;
use crate::import::table::quoted;

/// How many bytes of rows a batch has.
const BATCH_BYTES: usize = 16 * 1024 * 1024;

/// Rows on their way into a table.
pub(super) struct Loader<'a> {
    context: Context<'a>,
    form: Form,
    /// What stands behind `COPY`.
    target: String,
    way: Way,
    staging: Staging<'a>,
    insertion: Insertion,
    rebuild: Option<Rebuild>,
    sorted_by: Option<usize>,
    staged: u64,
    loaded: Loaded,
}

/// How rows reach the table.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    /// By COPY into the table itself.
    Directly,
    /// By COPY into the staging table, and from there at the end.
    Staged,
}

impl<'a> Loader<'a> {
    /// Looks at the table's keys, and prepares what the options ask for.
    pub(super) fn new(
        connection: &mut Connection,
        context: Context<'a>,
        rebuild: bool,
    ) -> Result<Self, Failure> {
        let connection = postgres(connection)?;
        let Context { job, table, plan, .. } = context;
        // A constraint that is deferred would tell of its rows only at the commit, when they are found no more.
        key::check_at_once(connection)?;
        let keys = key::read(connection, table, plan)?;
        let key = key::of_conflict(&keys, table, plan, &job.options)?;
        let way = if key.is_empty() && !key::refers_to_itself(connection, table, plan)? {
            Way::Directly
        } else {
            Way::Staged
        };
        let rebuild = if rebuild { Some(Rebuild::begin(connection, table)?) } else { None };
        let form = Form::of_copy(&plan.columns);
        let names: Vec<_> = plan.columns.iter().map(|column| quoted(&column.name)).collect();
        let sorted_by = match (&rebuild, way) {
            // There is no index to be kind to.
            (Some(_), _) => None,
            (None, Way::Directly) => key::sorting(&keys, plan),
            // The server sorts; rows that come in order cost it less.
            (None, Way::Staged) => {
                key.first().and_then(|name| plan.columns.iter().position(|column| column.name == *name))
            }
        };
        Ok(Self {
            context,
            form,
            target: format!("{} ({})", table.sql, names.join(", ")),
            way,
            staging: Staging::new(plan, form),
            insertion: Insertion::new(table, plan, key, job.options.on_conflict),
            rebuild,
            sorted_by,
            staged: 0,
            loaded: Loaded::default(),
        })
    }

    fn write_directly(&mut self, connection: &mut Session, batch: &Batch) -> Result<Verdict, Failure> {
        let progress = &self.context.job.progress;
        let copied = connection.in_savepoint(|connection| {
            copy(connection, (&self.target, self.form, Extra::Nothing), batch, progress)
        });
        let error = match copied {
            Ok(rows) => {
                self.loaded.rows += rows;
                return Ok(Verdict::Within);
            }
            Err(CopyError::Database(error)) if rows_may_be_guilty(&error) => error,
            Err(error) => return Err(self.failure(error)),
        };
        tracing::debug!("A batch was refused and is sifted");
        self.stage(connection, batch).map_err(|_| database_failure(&error, &self.doing()))?;
        let verdict = self.sift(connection)?;
        self.staging.clear(connection).map_err(|error| database_failure(&error, &self.doing()))?;
        Ok(verdict)
    }

    fn stage(&mut self, connection: &mut Session, batch: &Batch) -> Result<u64, Failure> {
        let progress = &self.context.job.progress;
        let staged = self.staging.fill(connection, batch, progress);
        staged.map_err(|error| self.failure(error))
    }

    fn sift(&mut self, connection: &mut Session) -> Result<Verdict, Failure> {
        let Context { job, table, plan, rejects, .. } = self.context;
        let sift = Sift { table, plan, insertion: &self.insertion, rejects, progress: &job.progress };
        let (written, verdict) = sift.run(connection)?;
        self.add(written);
        Ok(verdict)
    }

    fn add(&mut self, written: insertion::Written) {
        let (rows, updated) = (written.rows.unsigned_abs(), written.updated.unsigned_abs());
        self.context.job.progress.add_rows(rows, 0);
        self.loaded.rows += rows;
        self.loaded.updated += updated;
    }

    /// Moves what is staged into the table, in one statement.
    fn move_staged(&mut self, connection: &mut Session) -> Result<Verdict, Failure> {
        let Context { job, rejects, .. } = self.context;
        let upserts = job.options.on_conflict != OnConflict::Error;
        let rejects_before = rejects.count();
        // The sort is the statement's; what it needs beyond this goes to the server's disk.
        let failed = |error: &diesel::result::Error| database_failure(error, "write the staged rows");
        key::give_memory_to_sort(connection).map_err(|error| failed(&error))?;
        let written = connection.transaction(|connection| self.insertion.all(connection));
        let mut duplicates = None;
        let verdict = match written {
            Ok(written) => {
                self.add(written);
                Verdict::Within
            }
            Err(error) if rows_may_be_guilty(&error) => {
                if upserts {
                    let removed = self.insertion.remove_duplicates(connection);
                    duplicates = Some(removed.map_err(|error| failed(&error))?);
                }
                self.sift(connection)?
            }
            Err(error) => return Err(failed(&error)),
        };
        if upserts {
            // Rows that were neither written nor rejected.
            let rejected = rejects.count() - rejects_before;
            let left = self.staged.saturating_sub(self.loaded.rows + rejected);
            self.loaded.duplicates = match (duplicates, job.options.on_conflict) {
                (Some(duplicates), _) => duplicates.min(left),
                (None, OnConflict::Update) => left,
                (None, _) if left == 0 => 0,
                (None, _) => self.insertion.count_duplicates(connection).map_err(|error| failed(&error))?,
            };
            self.loaded.skipped = left - self.loaded.duplicates.min(left);
        }
        Ok(verdict)
    }

    fn doing(&self) -> String {
        format!("write rows into {:?}", self.context.table.name)
    }

    fn failure(&self, error: CopyError) -> Failure {
        match error {
            CopyError::Database(error) => database_failure(&error, &self.doing()),
            CopyError::Stopped => interrupted(),
        }
    }
}

impl Load for Loader<'_> {
    fn form(&self) -> Form {
        self.form
    }

    fn batch_bytes(&self) -> usize {
        BATCH_BYTES
    }

    fn sorted_by(&self) -> Option<usize> {
        self.sorted_by
    }

    fn write(&mut self, connection: &mut Connection, batch: &mut Batch) -> Result<Verdict, Refused> {
        let connection = postgres(connection)?;
        if self.way == Way::Staged {
            self.staged += self.stage(connection, batch)?;
            return Ok(Verdict::Within);
        }
        if self.rebuild.is_some() {
            let progress = &self.context.job.progress;
            let copied = copy(connection, (&self.target, self.form, Extra::Nothing), batch, progress);
            return match copied {
                Ok(rows) => {
                    self.loaded.rows += rows;
                    Ok(Verdict::Within)
                }
                Err(CopyError::Database(error)) if rows_may_be_guilty(&error) => Err(Refused::WithoutIndexes),
                Err(error) => Err(self.failure(error).into()),
            };
        }
        Ok(self.write_directly(connection, batch)?)
    }

    fn finish(mut self, connection: &mut Connection) -> Result<Loaded, Refused> {
        let connection = postgres(connection)?;
        if self.way == Way::Staged && self.staged > 0 {
            self.move_staged(connection)?;
        }
        if let Some(rebuild) = self.rebuild.take() {
            match rebuild.finish(connection) {
                Ok(note) => self.loaded.notes.push(note),
                Err(error) if rows_may_be_guilty(&error) => {
                    return Err(Refused::WithoutIndexes);
                }
                Err(error) => return Err(database_failure(&error, "build the table's indexes again").into()),
            }
        }
        Ok(self.loaded)
    }
}

fn postgres(connection: &mut Connection) -> Result<&mut Session, Failure> {
    match connection {
        Connection::Postgres(connection) => Ok(connection),
        Connection::Sqlite(_) => Err(super::wrong_database()),
    }
}
