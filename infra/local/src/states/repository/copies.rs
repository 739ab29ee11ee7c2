//! Executions made of others, for whoever needs very many: a benchmark cannot wait for ten thousand imports. A copy is what
//! the stack itself wrote, under another name and at another time.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};

use super::{QueryError, Repository, Stores};

/// A copy that is wanted.
pub struct Copy<'a> {
    /// A part of the original's name, such as the import's id, and what stands in its place in the copy, wherever it does.
    pub part: &'a str,
    /// See `part`.
    pub by: &'a str,
    /// How much earlier the copy ran, in milliseconds.
    pub earlier_ms: i64,
}

const COPY_EXECUTION: &str = "
    INSERT INTO executions (arn, machine_arn, name, status, started_ms, stopped_ms, redrive_count, redriven_ms, deadline_ms,
        revision, version, input, state)
    SELECT replace(arn, ?2, ?3), machine_arn, replace(name, ?2, ?3), status, started_ms - ?4, stopped_ms - ?4, redrive_count,
        redriven_ms - ?4, deadline_ms, revision, version, replace(input, ?2, ?3),
        json_set(replace(state, ?2, ?3), '$.started', started_ms - ?4, '$.stopped', stopped_ms - ?4,
            '$.redriven', redriven_ms - ?4)
    FROM executions WHERE arn = ?1";
const COPY_HISTORY: &str = "
    INSERT INTO history (execution, id, previous_id, at_ms, event_type, details)
    SELECT (SELECT max(id) FROM executions), id, previous_id, at_ms - ?4, event_type, replace(details, ?2, ?3)
    FROM history WHERE execution = (SELECT id FROM executions WHERE arn = ?1)";
/// What came between the first two redrives, once more before the second.
const MAKE_ROOM: &str = "
    UPDATE history SET id = id + ?2, previous_id = previous_id + ?2
    WHERE execution = (SELECT id FROM executions WHERE arn = ?1) AND id >= ?3";
const REPEAT: &str = "
    WITH RECURSIVE rounds (round) AS (SELECT 1 UNION ALL SELECT round + 1 FROM rounds WHERE round < ?5)
    INSERT INTO history (execution, id, previous_id, at_ms, event_type, details)
    SELECT execution, id + round * ?2, previous_id + round * ?2, at_ms, event_type, details
    FROM history, rounds
    WHERE execution = (SELECT id FROM executions WHERE arn = ?1) AND id >= ?4 AND id < ?3";

impl Repository {
    /// Copies a closed execution with its history.
    pub(crate) fn copy(&self, arn: &str, copies: &[Copy<'_>]) -> Stores<()> {
        self.store.transaction(|connection| {
            for Copy { part, by, earlier_ms } in copies {
                for statement in [COPY_EXECUTION, COPY_HISTORY] {
                    diesel::sql_query(statement)
                        .bind::<Text, _>(arn)
                        .bind::<Text, _>(part)
                        .bind::<Text, _>(by)
                        .bind::<BigInt, _>(earlier_ms)
                        .execute(connection)?;
                }
            }
            Ok(())
        })
    }

    /// Makes the history of an execution that was redriven twice as long as this, by more redrives like the first.
    pub(crate) fn lengthen(&self, arn: &str, events: i64) -> Stores<()> {
        #[derive(QueryableByName)]
        struct Number {
            #[diesel(sql_type = BigInt)]
            id: i64,
        }
        let ids = "SELECT id FROM history WHERE execution = (SELECT id FROM executions WHERE arn = ?1) ";
        self.store.transaction(|connection| {
            let mut ask = |which: &str| {
                diesel::sql_query(format!("{ids}{which}")).bind::<Text, _>(arn).load::<Number>(connection)
            };
            let redrives = ask("AND event_type = 'ExecutionRedriven' ORDER BY id")?;
            let last = ask("ORDER BY id DESC LIMIT 1")?;
            let ([first, second, ..], [last]) = (&redrives[..], &last[..]) else {
                return Err(QueryError::NotFound.into());
            };
            let round = second.id - first.id;
            let rounds = (events - last.id) / round;
            if rounds < 1 {
                return Ok(());
            }
            // By more than there are, so that no number meets another on its way.
            for by in [rounds * round + last.id, -last.id] {
                let from = if by > 0 { second.id } else { second.id + rounds * round + last.id };
                diesel::sql_query(MAKE_ROOM)
                    .bind::<Text, _>(arn)
                    .bind::<BigInt, _>(by)
                    .bind::<BigInt, _>(from)
                    .execute(connection)?;
            }
            diesel::sql_query(REPEAT)
                .bind::<Text, _>(arn)
                .bind::<BigInt, _>(round)
                .bind::<BigInt, _>(second.id)
                .bind::<BigInt, _>(first.id)
                .bind::<BigInt, _>(rounds)
                .execute(connection)?;
            Ok(())
        })
    }
}
