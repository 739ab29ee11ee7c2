//! The tasks on disk.

use anyhow::Context as _;
use diesel::prelude::*;

use super::task::Task;
use crate::store::Store;

diesel::table! {
    tasks (position) {
        position -> BigInt,
        arn -> Text,
        family -> Text,
        started_by -> Nullable<Text>,
        desired_status -> Text,
        stopped_at_ms -> Nullable<BigInt>,
        pid -> Nullable<Integer>,
        client_token -> Nullable<Text>,
        request_digest -> Nullable<Text>,
        task -> Text,
    }
}

/// A stopped task is kept as long as its execution can be redriven.
const KEPT_FOR: chrono::TimeDelta = chrono::TimeDelta::days(14);

/// A request that may be repeated: its token and the digest of all of it.
pub(super) struct Idempotency {
    pub(super) token: String,
    pub(super) digest: String,
}

/// What becomes of a new task.
pub(super) enum Insertion {
    Inserted,
    /// The same request has started this task before.
    Repeated(Box<Task>),
    /// The token belongs to another request.
    Conflict,
}

pub(super) fn insert(
    store: &Store,
    family: &str,
    task: &Task,
    idempotency: Option<&Idempotency>,
) -> anyhow::Result<Insertion> {
    let json = serde_json::to_string(task)?;
    store.transaction(|connection| {
        if let Some(Idempotency { token, digest }) = idempotency {
            let earlier: Option<(Option<String>, String)> = tasks::table
                .filter(tasks::client_token.eq(token))
                .select((tasks::request_digest, tasks::task))
                .first(connection)
                .optional()?;
            match earlier {
                Some((earlier, _)) if earlier.as_ref() != Some(digest) => return Ok(Insertion::Conflict),
                Some((_, task)) => return Ok(Insertion::Repeated(Box::new(parse(&task)?))),
                None => {}
            }
        }
        diesel::insert_into(tasks::table)
            .values((
                tasks::arn.eq(&task.task_arn),
                tasks::family.eq(family),
                tasks::started_by.eq(&task.started_by),
                tasks::desired_status.eq(&task.desired_status),
                tasks::client_token.eq(idempotency.map(|known| &known.token)),
                tasks::request_digest.eq(idempotency.map(|known| &known.digest)),
                tasks::task.eq(json),
            ))
            .execute(connection)?;
        Ok(Insertion::Inserted)
    })
}

pub(super) fn load(store: &Store, arn: &str) -> anyhow::Result<Option<Task>> {
    store.transaction(|connection| load_in(connection, arn))
}

/// Changes a task in one transaction and returns it as it is then. `None` where there is none.
pub(super) fn change(
    store: &Store,
    arn: &str,
    change: impl FnOnce(&mut Task),
) -> anyhow::Result<Option<Task>> {
    store.transaction(|connection| {
        let Some(mut task) = load_in(connection, arn)? else { return Ok(None) };
        change(&mut task);
        task.version += 1;
        let stopped_at = task.is_stopped().then(|| chrono::Utc::now().timestamp_millis());
        diesel::update(tasks::table.filter(tasks::arn.eq(arn)))
            .set((
                tasks::desired_status.eq(&task.desired_status),
                tasks::stopped_at_ms.eq(stopped_at),
                tasks::task.eq(serde_json::to_string(&task)?),
            ))
            .execute(connection)?;
        Ok(Some(task))
    })
}

pub(super) fn set_pid(store: &Store, arn: &str, pid: i32) -> anyhow::Result<()> {
    store.transaction(|connection| {
        diesel::update(tasks::table.filter(tasks::arn.eq(arn)))
            .set(tasks::pid.eq(pid))
            .execute(connection)?;
        Ok(())
    })
}

/// The tasks that have not stopped, with the ids of their processes.
pub(super) fn unfinished(store: &Store) -> anyhow::Result<Vec<(String, Option<i32>)>> {
    store.transaction(|connection| {
        let query = tasks::table.filter(tasks::stopped_at_ms.is_null()).select((tasks::arn, tasks::pid));
        Ok(query.load(connection)?)
    })
}

/// How many tasks run.
pub(super) fn count_unfinished(store: &Store) -> anyhow::Result<i64> {
    store.transaction(|connection| {
        Ok(tasks::table.filter(tasks::stopped_at_ms.is_null()).count().get_result(connection)?)
    })
}

/// What tasks are listed by.
pub(super) struct Filter {
    pub(super) desired_status: &'static str,
    pub(super) family: Option<String>,
    pub(super) started_by: Option<String>,
}

/// One page of ARNs, oldest first, behind `after`; and the position to go on from, if there is more.
pub(super) fn page(
    store: &Store,
    filter: &Filter,
    after: i64,
    size: i64,
) -> anyhow::Result<(Vec<String>, Option<i64>)> {
    store.transaction(|connection| {
        let mut query = tasks::table
            .filter(tasks::desired_status.eq(filter.desired_status))
            .filter(tasks::position.gt(after))
            .order(tasks::position)
            .limit(size + 1)
            .select((tasks::position, tasks::arn))
            .into_boxed();
        if let Some(family) = &filter.family {
            query = query.filter(tasks::family.eq(family));
        }
        if let Some(started_by) = &filter.started_by {
            query = query.filter(tasks::started_by.eq(started_by));
        }
        let mut rows: Vec<(i64, String)> = query.load(connection)?;
        let has_more = rows.len() > usize::try_from(size)?;
        if has_more {
            rows.pop();
        }
        let next = rows.last().map(|(position, _)| *position).filter(|_| has_more);
        Ok((rows.into_iter().map(|(_, arn)| arn).collect(), next))
    })
}

/// Forgets tasks that stopped long ago.
pub(super) fn prune(store: &Store) -> anyhow::Result<()> {
    let limit = (chrono::Utc::now() - KEPT_FOR).timestamp_millis();
    store.transaction(|connection| {
        diesel::delete(tasks::table.filter(tasks::stopped_at_ms.lt(limit))).execute(connection)?;
        Ok(())
    })
}

fn load_in(connection: &mut SqliteConnection, arn: &str) -> anyhow::Result<Option<Task>> {
    let json: Option<String> =
        tasks::table.filter(tasks::arn.eq(arn)).select(tasks::task).first(connection).optional()?;
    json.as_deref().map(parse).transpose()
}

fn parse(json: &str) -> anyhow::Result<Task> {
    serde_json::from_str(json).context("failed to read a task of the stack's file")
}
