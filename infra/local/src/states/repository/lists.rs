//! Pages of lists, found by where the page before ended: as quick at the end of a long list as at its start.

use diesel::prelude::*;

use super::schema::{executions, history, machines};
use super::{MachineRow, Repository, Stores};

/// An execution in a list.
#[derive(Queryable, Selectable)]
#[diesel(table_name = executions)]
pub(crate) struct Listed {
    pub(crate) id: i64,
    pub(crate) arn: String,
    pub(crate) name: String,
    pub(crate) status: String,
    pub(crate) started_ms: i64,
    pub(crate) stopped_ms: Option<i64>,
    pub(crate) redrive_count: i32,
    pub(crate) redriven_ms: Option<i64>,
}

/// Where a page of executions ended.
#[derive(Clone, Copy)]
pub(crate) struct Position {
    pub(crate) started_ms: i64,
    pub(crate) id: i64,
}

/// Which executions are listed.
pub(crate) struct ExecutionFilter<'a> {
    pub(crate) machine_arn: &'a str,
    pub(crate) status: Option<&'a str>,
    pub(crate) redriven: Option<bool>,
}

/// An event of a history.
#[derive(Queryable, Selectable)]
#[diesel(table_name = history)]
pub(crate) struct EventRow {
    pub(crate) id: i64,
    pub(crate) previous_id: i64,
    pub(crate) at_ms: i64,
    pub(crate) event_type: String,
    pub(crate) details: String,
}

impl Repository {
    /// A page of a machine's executions, the newest first.
    pub(crate) fn executions(
        &self,
        filter: &ExecutionFilter<'_>,
        after: Option<Position>,
        limit: i64,
    ) -> Stores<Vec<Listed>> {
        let mut query = executions::table
            .filter(executions::machine_arn.eq(filter.machine_arn))
            .order((executions::started_ms.desc(), executions::id.desc()))
            .limit(limit)
            .select(Listed::as_select())
            .into_boxed();
        if let Some(status) = filter.status {
            query = query.filter(executions::status.eq(status));
        }
        match filter.redriven {
            Some(true) => query = query.filter(executions::redrive_count.gt(0)),
            Some(false) => query = query.filter(executions::redrive_count.eq(0)),
            None => {}
        }
        if let Some(Position { started_ms, id }) = after {
            let before = executions::started_ms
                .lt(started_ms)
                .or(executions::started_ms.eq(started_ms).and(executions::id.lt(id)));
            // The first condition alone lets the index find the place.
            query = query.filter(executions::started_ms.le(started_ms)).filter(before);
        }
        self.store.transaction(|connection| Ok(query.load(connection)?))
    }

    /// A page of an execution's history; `None` where there is no such execution.
    pub(crate) fn history(
        &self,
        arn: &str,
        after: Option<i64>,
        reverse: bool,
        limit: i64,
    ) -> Stores<Option<Vec<EventRow>>> {
        self.store.transaction(|connection| {
            let id: Option<i64> = executions::table
                .filter(executions::arn.eq(arn))
                .select(executions::id)
                .first(connection)
                .optional()?;
            let Some(id) = id else { return Ok(None) };
            let mut query = history::table
                .filter(history::execution.eq(id))
                .limit(limit)
                .select(EventRow::as_select())
                .into_boxed();
            query = if reverse { query.order(history::id.desc()) } else { query.order(history::id) };
            query = match after {
                Some(after) if reverse => query.filter(history::id.lt(after)),
                Some(after) => query.filter(history::id.gt(after)),
                None => query,
            };
            Ok(Some(query.load(connection)?))
        })
    }

    /// A page of the machines, by ARN.
    pub(crate) fn machines(&self, after: Option<&str>, limit: i64) -> Stores<Vec<MachineRow>> {
        let mut query =
            machines::table.order(machines::arn).limit(limit).select(MachineRow::as_select()).into_boxed();
        if let Some(after) = after {
            query = query.filter(machines::arn.gt(after));
        }
        self.store.transaction(|connection| Ok(query.load(connection)?))
    }
}
