//! Machines, executions and histories on disk. A step - the changed execution, its history, its token - is stored in one
//! transaction, or not at all.

mod copies;
mod lists;
mod schema;

use diesel::prelude::*;
use diesel::result::{DatabaseErrorKind, Error as QueryError};
use diesel::upsert::excluded;
use diesel_migrations::{EmbeddedMigrations, embed_migrations};
use serde_json::{Map, Value};
use std::path::Path;

pub use self::copies::Copy;
pub(crate) use self::lists::{EventRow, ExecutionFilter, Listed, Position};
use self::schema::{executions, history, machines, redrives, revisions, tokens};
use super::execution::{Execution, HistoryEvent, Step};
use super::time::Timestamp;
use crate::store::Store;
use crate::wire::AwsError;

const MIGRATIONS: EmbeddedMigrations = embed_migrations!("migrations/states");

/// How many client tokens of a redrive are remembered, and for how long, in milliseconds (`API_RedriveExecution`).
const REMEMBERED_REDRIVES: i64 = 10;
const REDRIVE_MEMORY_MILLIS: i64 = 15 * 60 * 1000;

pub(crate) struct Repository {
    store: Store,
}

/// A definition that a machine has or had.
#[derive(Clone, Queryable, Selectable)]
#[diesel(table_name = revisions)]
pub(crate) struct Revision {
    pub(crate) id: i64,
    pub(crate) machine_arn: String,
    pub(crate) revision_id: String,
    pub(crate) created_ms: i64,
    pub(crate) definition: String,
}

/// A state machine.
#[derive(Queryable, Selectable)]
#[diesel(table_name = machines)]
pub(crate) struct MachineRow {
    pub(crate) arn: String,
    pub(crate) name: String,
    pub(crate) created_ms: i64,
}

/// An execution as it was loaded: the step that is computed from it can only be stored on top of it.
pub(crate) struct Stored {
    id: i64,
    version: i64,
    pub(crate) revision: i64,
    /// The input, to the letter.
    pub(crate) input: String,
    pub(crate) execution: Execution,
}

#[derive(Insertable)]
#[diesel(table_name = history)]
struct NewEvent<'a> {
    execution: i64,
    id: i64,
    previous_id: i64,
    at_ms: i64,
    event_type: &'a str,
    details: String,
}

/// A failure to store or to load: a fault of the stack.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StorageError {
    #[error("the stack's file of executions failed: {0}")]
    Query(#[from] QueryError),
    #[error("an execution on disk cannot be read: {0}")]
    Corrupt(#[from] serde_json::Error),
}

impl From<StorageError> for AwsError {
    fn from(error: StorageError) -> Self {
        Self::internal(error)
    }
}

type Stores<T> = Result<T, StorageError>;

impl Repository {
    pub(crate) fn open(path: &Path) -> anyhow::Result<Self> {
        Ok(Self { store: Store::open(path, MIGRATIONS)? })
    }

    /// Makes this definition the machine's latest one. The same text again changes nothing.
    pub(crate) fn put_machine(
        &self,
        arn: &str,
        name: &str,
        revision_id: &str,
        definition: &str,
        now: Timestamp,
    ) -> Stores<()> {
        self.store.transaction(|connection| {
            diesel::insert_or_ignore_into(machines::table)
                .values((
                    machines::arn.eq(arn),
                    machines::name.eq(name),
                    machines::created_ms.eq(now.millis()),
                ))
                .execute(connection)?;
            if latest_revision(connection, arn)?.is_some_and(|latest| latest.definition == definition) {
                return Ok(());
            }
            diesel::insert_into(revisions::table)
                .values((
                    revisions::machine_arn.eq(arn),
                    revisions::revision_id.eq(revision_id),
                    revisions::created_ms.eq(now.millis()),
                    revisions::definition.eq(definition),
                ))
                .execute(connection)?;
            Ok(())
        })
    }

    pub(crate) fn machine(&self, arn: &str) -> Stores<Option<MachineRow>> {
        self.store.transaction(|connection| {
            Ok(machines::table.find(arn).select(MachineRow::as_select()).first(connection).optional()?)
        })
    }

    pub(crate) fn latest_revision(&self, machine_arn: &str) -> Stores<Option<Revision>> {
        self.store.transaction(|connection| latest_revision(connection, machine_arn))
    }

    pub(crate) fn revision(&self, id: i64) -> Stores<Option<Revision>> {
        self.store.transaction(|connection| {
            Ok(revisions::table.find(id).select(Revision::as_select()).first(connection).optional()?)
        })
    }

    /// Stores an execution's first step; `false` where the name is taken.
    pub(crate) fn insert(
        &self,
        execution: &Execution,
        revision: i64,
        input: &str,
        step: &Step,
    ) -> Stores<bool> {
        let state = serde_json::to_string(execution)?;
        self.store.transaction(|connection| {
            let inserted = diesel::insert_into(executions::table)
                .values((
                    executions::arn.eq(&execution.identity.arn),
                    executions::machine_arn.eq(&execution.identity.machine_arn),
                    executions::name.eq(&execution.identity.name),
                    executions::status.eq(execution.status.as_str()),
                    executions::started_ms.eq(execution.started.millis()),
                    executions::stopped_ms.eq(execution.stopped.map(Timestamp::millis)),
                    executions::redrive_count.eq(0),
                    executions::deadline_ms.eq(execution.next_deadline().map(Timestamp::millis)),
                    executions::revision.eq(revision),
                    executions::version.eq(1_i64),
                    executions::input.eq(input),
                    executions::state.eq(state),
                ))
                .returning(executions::id)
                .get_result::<i64>(connection);
            match inserted {
                Ok(id) => add_to(connection, id, execution, &step.history).map(|()| true),
                Err(QueryError::DatabaseError(DatabaseErrorKind::UniqueViolation, _)) => Ok(false),
                Err(error) => Err(error.into()),
            }
        })
    }

    pub(crate) fn load(&self, arn: &str) -> Stores<Option<Stored>> {
        let row = self.store.transaction(|connection| {
            executions::table
                .filter(executions::arn.eq(arn))
                .select((
                    executions::id,
                    executions::version,
                    executions::revision,
                    executions::input,
                    executions::state,
                ))
                .first::<(i64, i64, i64, String, String)>(connection)
                .optional()
        })?;
        let Some((id, version, revision, input, state)) = row else { return Ok(None) };
        let mut execution: Execution = serde_json::from_str(&state)?;
        execution.input = serde_json::from_str(&input)?;
        Ok(Some(Stored { id, version, revision, input, execution }))
    }

    /// Stores a step that was computed from `stored`; `false` where another step came first. `redrive` is the client's
    /// token of a step that is a redrive.
    pub(crate) fn save(
        &self,
        stored: &Stored,
        execution: &Execution,
        step: &Step,
        redrive: Option<&str>,
    ) -> Stores<bool> {
        let state = serde_json::to_string(execution)?;
        let redrive_count = i32::try_from(execution.redrive_count).unwrap_or(i32::MAX);
        self.store.transaction(|connection| {
            let same = executions::table
                .filter(executions::id.eq(stored.id))
                .filter(executions::version.eq(stored.version));
            let saved = diesel::update(same)
                .set((
                    executions::status.eq(execution.status.as_str()),
                    executions::stopped_ms.eq(execution.stopped.map(Timestamp::millis)),
                    executions::redrive_count.eq(redrive_count),
                    executions::redriven_ms.eq(execution.redriven.map(Timestamp::millis)),
                    executions::deadline_ms.eq(execution.next_deadline().map(Timestamp::millis)),
                    executions::version.eq(stored.version + 1),
                    executions::state.eq(state),
                ))
                .execute(connection)?;
            if saved == 0 {
                return Ok(false);
            }
            add_to(connection, stored.id, execution, &step.history)?;
            if let (Some(client_token), Some(redriven)) = (redrive, execution.redriven) {
                diesel::insert_into(redrives::table)
                    .values((
                        redrives::execution.eq(stored.id),
                        redrives::client_token.eq(client_token),
                        redrives::redriven_ms.eq(redriven.millis()),
                    ))
                    .on_conflict((redrives::execution, redrives::client_token))
                    .do_update()
                    .set(redrives::redriven_ms.eq(excluded(redrives::redriven_ms)))
                    .execute(connection)?;
            }
            Ok(true)
        })
    }

    /// When the execution was redriven with this client token, if that was lately.
    pub(crate) fn redriven_with(
        &self,
        stored: &Stored,
        client_token: &str,
        now: Timestamp,
    ) -> Stores<Option<Timestamp>> {
        let remembered: Vec<(String, i64)> = self.store.transaction(|connection| {
            redrives::table
                .filter(redrives::execution.eq(stored.id))
                .filter(redrives::redriven_ms.gt(now.millis() - REDRIVE_MEMORY_MILLIS))
                .order(redrives::redriven_ms.desc())
                .limit(REMEMBERED_REDRIVES)
                .select((redrives::client_token, redrives::redriven_ms))
                .load(connection)
        })?;
        let found = remembered.into_iter().find(|(token, _)| token == client_token);
        Ok(found.map(|(_, redriven)| Timestamp::from_millis(redriven)))
    }

    /// The ARN of the execution that this token was given out by, dead or alive.
    pub(crate) fn owner_of_token(&self, token: &str) -> Stores<Option<String>> {
        self.store.transaction(|connection| {
            let id: Option<i64> =
                tokens::table.find(token).select(tokens::execution).first(connection).optional()?;
            let Some(id) = id else { return Ok(None) };
            Ok(executions::table.find(id).select(executions::arn).first(connection).optional()?)
        })
    }

    /// When the first execution is to be woken.
    pub(crate) fn next_deadline(&self) -> Stores<Option<Timestamp>> {
        let next: Option<Option<i64>> = self.store.transaction(|connection| {
            executions::table
                .filter(executions::deadline_ms.is_not_null())
                .order(executions::deadline_ms)
                .select(executions::deadline_ms)
                .first(connection)
                .optional()
        })?;
        Ok(next.flatten().map(Timestamp::from_millis))
    }

    /// The executions that are to be woken by now, at most `limit`.
    pub(crate) fn due(&self, now: Timestamp, limit: i64) -> Stores<Vec<String>> {
        self.store.transaction(|connection| {
            Ok(executions::table
                .filter(executions::deadline_ms.le(now.millis()))
                .order(executions::deadline_ms)
                .limit(limit)
                .select(executions::arn)
                .load(connection)?)
        })
    }

    /// The executions that are open.
    pub(crate) fn open_executions(&self) -> Stores<Vec<String>> {
        self.store.transaction(|connection| {
            Ok(executions::table
                .filter(executions::status.eq("RUNNING"))
                .order(executions::id)
                .select(executions::arn)
                .load(connection)?)
        })
    }
}

fn latest_revision(connection: &mut SqliteConnection, machine_arn: &str) -> Stores<Option<Revision>> {
    Ok(revisions::table
        .filter(revisions::machine_arn.eq(machine_arn))
        .order(revisions::id.desc())
        .select(Revision::as_select())
        .first(connection)
        .optional()?)
}

/// Adds a step's events and the token it gave out.
fn add_to(
    connection: &mut SqliteConnection,
    id: i64,
    execution: &Execution,
    events: &[HistoryEvent],
) -> Stores<()> {
    let rows: Vec<_> = events
        .iter()
        .map(|event| {
            let details: Map<String, Value> =
                event.details.iter().map(|(field, value)| ((*field).to_owned(), value.clone())).collect();
            NewEvent {
                execution: id,
                id: event.id,
                previous_id: event.previous_id,
                at_ms: event.timestamp.millis(),
                event_type: &event.event_type,
                details: Value::Object(details).to_string(),
            }
        })
        .collect();
    for rows in rows.chunks(500) {
        diesel::insert_into(history::table).values(rows).execute(connection)?;
    }
    if let Some(token) = execution.token() {
        diesel::insert_or_ignore_into(tokens::table)
            .values((tokens::token.eq(token), tokens::execution.eq(id)))
            .execute(connection)?;
    }
    Ok(())
}
