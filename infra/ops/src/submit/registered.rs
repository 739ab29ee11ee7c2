//! An import whose id is registered already. It is looked at before anything is made or uploaded, so that the same command
//! twice does the same once, and another file is not taken for one that was imported.

use std::fmt::Display;
use std::path::Path;

use statemachine::{FailureName, JobId, Source};
use worker::failure::Failure;
use worker::imports::{self, ImportRow, NewImport};
use worker::ledger::JobStatus;

use super::{Say, Sending, Submitted, content};
use crate::commands::Commands;
use crate::executions::has_ended;
use crate::show::unclaimed;
use crate::target::Target;

/// Whether an import is registered, before its file is brought, and how far it is.
pub(crate) enum Registration {
    /// Nothing is known of it.
    NotYet,
    /// It is registered, its file is in S3, and nobody is at work on it.
    ToBeAsked,
    /// This execution is at work on it.
    UnderWay { execution_arn: String },
    /// It has been imported.
    Done(Box<ImportRow>),
}

impl Registration {
    /// What came of the file, where nothing more is to be done.
    pub(super) fn settled(self, import_id: &JobId) -> Option<Sending> {
        match self {
            Self::NotYet | Self::ToBeAsked => None,
            Self::UnderWay { execution_arn } => {
                let import_id = import_id.clone();
                let under_way = Submitted { import_id, execution_arn, made: None, is_sent: false };
                Some(Sending::Submitted(under_way))
            }
            Self::Done(row) => Some(Sending::Done(row)),
        }
    }
}

/// Looks whether the import is registered, and how far it is.
///
/// # Errors
/// `Import.Contradiction` where it is registered otherwise, or with other content of its file.
pub(super) async fn look(
    commands: &Commands,
    target: &Target,
    import: &NewImport,
    path: &Path,
    say: Say,
) -> anyhow::Result<Registration> {
    let Some(row) = imports::find(&mut target.database.connect()?, &import.import_id)? else {
        return Ok(Registration::NotYet);
    };
    if let Some(otherwise) = imports::registered_otherwise(&row, import) {
        return Err(registered_otherwise(commands, &row, &otherwise).into());
    }
    let is_same = is_same_content(target, &row, &import.source, path).await?;
    if is_same != Some(true) {
        return Err(other_content(commands, &row, import, path, is_same.is_some()).into());
    }
    let id = &import.import_id;
    if row.status == JobStatus::Success {
        return Ok(Registration::Done(Box::new(row)));
    }
    let execution_arn = match row.status {
        JobStatus::Running => row.execution_arn.clone(),
        _ => unclaimed::executions(target, id).await?.into_iter().next(),
    };
    if let Some(execution_arn) = execution_arn
        && !has_ended(target, &execution_arn).await?
    {
        say(&format!("the import {id} is under way already; nothing was uploaded"));
        return Ok(Registration::UnderWay { execution_arn });
    }
    say(&match &row.error {
        Some(error) => {
            format!(
                "the import {id} failed before with {error}; its file is in S3 already, and it is tried again"
            )
        }
        None => format!("the import {id} is registered already, and its file is in S3; its message is sent"),
    });
    Ok(Registration::ToBeAsked)
}

/// Whether the file is the one that the import has read or, where it has not succeeded, will read; none where that cannot be
/// known.
async fn is_same_content(
    target: &Target,
    row: &ImportRow,
    source: &Source,
    path: &Path,
) -> anyhow::Result<Option<bool>> {
    let read = row.findings().and_then(|findings| findings.sha256);
    if let Some(sha256) = read.filter(|_| row.status == JobStatus::Success) {
        return Ok(Some(content::sha256(path).await? == sha256));
    }
    // An import of the first rows alone does not know all of its file, and one that goes on reads what is there now.
    content::is_at(target, source, path).await
}

fn other_content(
    commands: &Commands,
    row: &ImportRow,
    import: &NewImport,
    path: &Path,
    is_known: bool,
) -> Failure {
    let (id, path) = (&import.import_id, path.display());
    let known = match is_known {
        true => format!("with other content than {path} has now"),
        false => format!(
            "and its file is not at {} on this target, so that it cannot be known whether {path} is the same",
            import.source
        ),
    };
    let again = redrive(commands, row).filter(|_| is_known);
    let again = again
        .map(|redrive| format!("; {redrive} runs the import again with the file that was uploaded for it"));
    contradiction(id, &known, &again.unwrap_or_default())
}

/// The complaint about an id that is another import's. What a program would do that sends messages is of no use here.
fn registered_otherwise(commands: &Commands, row: &ImportRow, otherwise: &str) -> Failure {
    let again = redrive(commands, row)
        .map(|redrive| format!("; {redrive} runs the import again as it is registered"));
    contradiction(&row.id, &format!("with {otherwise}"), &again.unwrap_or_default())
}

fn contradiction(id: impl Display, registered: &str, again: &str) -> Failure {
    let cause = format!(
        "import {id} is registered {registered}; nothing was done: import this file under another --id, or without one{again}"
    );
    Failure::named(FailureName::Contradiction, cause)
}

/// The command line that runs an import again which has failed.
fn redrive(commands: &Commands, row: &ImportRow) -> Option<String> {
    (row.status == JobStatus::Failure).then(|| format!("`{}`", commands.of("redrive", &row.id)))
}

/// The error of a command that came to know only when it registered its import that another one has registered the id
/// meanwhile, and otherwise: in the words of [`look`].
pub(super) fn or_registered_otherwise(
    commands: &Commands,
    target: &Target,
    import: &NewImport,
    error: anyhow::Error,
) -> anyhow::Error {
    let is_contradiction = |failure: &Failure| matches!(failure, Failure::Named { name, .. } if *name == FailureName::Contradiction);
    if !error.downcast_ref::<Failure>().is_some_and(is_contradiction) {
        return error;
    }
    let row = target
        .database
        .connect()
        .and_then(|mut connection| imports::find(&mut connection, &import.import_id));
    match row {
        Ok(Some(row)) => match imports::registered_otherwise(&row, import) {
            Some(otherwise) => registered_otherwise(commands, &row, &otherwise).into(),
            None => error,
        },
        _ => error,
    }
}
