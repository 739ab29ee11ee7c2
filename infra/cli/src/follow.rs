//! Stays with an import until its execution has ended and its message is settled: a progress bar for a person at a
//! terminal, then the report.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use ops::executions::{has_ended, until_settled};
use ops::show::picture::{self, Picture};
use ops::submit::{self, Submitted};
use ops::target::Target;
use statemachine::{FailureName, JobId};
use worker::db::Connection;
use worker::failure::Failure;
use worker::imports::ImportRow;
use worker::ledger::JobStatus;

use crate::arguments::Common;
use crate::bar::Bar;
use crate::{output, report};

/// How often the import is looked at.
const GLANCE: Duration = Duration::from_millis(50);
/// How long a database may be away when an import has ended, and how often it is asked for.
const AWAY: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(500);

/// Follows the import and prints its report, with the time since `started`. A table that was made for one that fails goes again.
pub(crate) async fn to_the_end(
    common: &Common,
    target: &Target,
    submitted: &Submitted,
    started: Instant,
) -> anyhow::Result<ExitCode> {
    let mut bar = Bar::new();
    let mut connection = None;
    let mut execution_arn = submitted.execution_arn.clone();
    loop {
        while !has_ended(target, &execution_arn).await? {
            if let Some(row) = glance(target, &mut connection, submitted) {
                bar.show(&row);
            }
            tokio::time::sleep(GLANCE).await;
        }
        match other_at_work(target, submitted, &execution_arn).await? {
            Some(other) => execution_arn = other,
            None => break,
        }
    }
    let elapsed = started.elapsed();
    bar.clear();
    until_settled(target, &execution_arn).await?;
    let picture = at_the_end(common, target, &submitted.import_id, &execution_arn).await?;
    if common.json {
        output::json(&picture)?;
    } else {
        report::print(common, &picture, &target.database.display_name(), elapsed);
    }
    if picture.import.status == "SUCCESS" {
        return Ok(ExitCode::SUCCESS);
    }
    submit::undo(target, submitted.made.clone(), &submitted.import_id, output::complain).await;
    Ok(ExitCode::FAILURE)
}

/// The import once its execution has ended. Its database may be away at just this moment: it is waited for, since nobody else
/// knows whether rows were written.
async fn at_the_end(
    common: &Common,
    target: &Target,
    id: &JobId,
    execution_arn: &str,
) -> anyhow::Result<Picture> {
    let deadline = Instant::now() + AWAY;
    let mut is_told = false;
    loop {
        let error = match picture::gather(&common.choice.commands, target, id, Some(execution_arn)).await {
            Err(error) if is_away(&error) => error,
            taken => return taken,
        };
        if Instant::now() >= deadline {
            let show = common.command("show", id.as_str());
            return Err(error.context(format!(
                "the execution of the import {id} has ended, and its database does not tell how: rows may have been written; \
                 `{show}` tells it once the database is there"
            )));
        }
        if !is_told {
            output::complain("waiting for the database, to read how the import ended");
            is_told = true;
        }
        tokio::time::sleep(PAUSE).await;
    }
}

fn is_away(error: &anyhow::Error) -> bool {
    let failure = error.downcast_ref::<Failure>();
    matches!(failure, Some(Failure::Named { name: FailureName::DatabaseUnavailable, .. }))
}

/// The execution that is at work on the import, where the one that was followed has ended because it found that.
async fn other_at_work(
    target: &Target,
    submitted: &Submitted,
    ended: &str,
) -> anyhow::Result<Option<String>> {
    let row = glance(target, &mut None, submitted).filter(|row| row.status == JobStatus::Running);
    match row.and_then(|row| row.execution_arn).filter(|arn| arn != ended) {
        Some(arn) if !has_ended(target, &arn).await? => Ok(Some(arn)),
        _ => Ok(None),
    }
}

/// The import's row, as far as it can be had: a database that is away for a while stops the bar, and nothing else.
fn glance(target: &Target, connection: &mut Option<Connection>, submitted: &Submitted) -> Option<ImportRow> {
    let mut open = connection.take().or_else(|| target.database.connect().ok())?;
    let row = worker::imports::find(&mut open, &submitted.import_id).ok()?;
    *connection = Some(open);
    row
}
