//! What the page is made from, gathered from the database and Step Functions. No part needs more calls than a handful, and
//! none of them grows with the number of executions that there are.

use std::sync::Arc;

use anyhow::Context as _;
use aws_sdk_sfn::operation::describe_execution::DescribeExecutionOutput;
use chrono::{DateTime, Utc};
use ops::error::of_aws;
use ops::executions::find::execution_arn;
use ops::executions::{Execution, Standing};
use ops::show::execution::{ExecutionPicture, time};
use ops::show::message::{self, MessageFate};
use ops::show::picture::ImportPicture;
use ops::show::unclaimed;
use ops::target::Target;
use statemachine::{ExecutionInput, ExecutionName, ImportOptions, JobId};
use worker::imports::AttemptRow;

use super::address::Address;
use super::graph::Graph;
use crate::error::PageError;
use crate::state::Console;
use crate::story::Story;
use crate::story::cache::KnownStory;

/// An import, with all that belongs to it.
pub(super) struct PageData {
    /// Its row; none where nobody has registered it, since its message was never taken up.
    pub(super) import: Option<ImportPicture>,
    pub(super) options: ImportOptions,
    pub(super) attempts: Vec<AttemptRow>,
    /// The ARNs of its executions, the latest first.
    pub(super) executions: Vec<String>,
    /// The one that is shown.
    pub(super) shown: Option<Shown>,
}

/// An execution that is shown.
pub(super) struct Shown {
    pub(super) execution: Execution,
    pub(super) started_at: DateTime<Utc>,
    /// What started it, where it can be read.
    pub(super) input: Option<ExecutionInput>,
    pub(super) story: Arc<Story>,
    /// Whether all of its history is in the story; a long one is read on meanwhile.
    pub(super) is_whole: bool,
    /// Its machine; or why there is no picture of it.
    pub(super) graph: Result<Graph, String>,
    /// None while it runs, and while its history is read.
    pub(super) fate: Option<MessageFate>,
}

impl PageData {
    /// Gathers what is known of the import that the address names, and of the execution that it asks for, else the latest.
    pub(super) async fn gather(console: &Console, address: &Address) -> Result<Self, PageError> {
        let id = address.id.clone();
        let (row, attempts) = console
            .database(move |connection| {
                Ok((worker::imports::find(connection, &id)?, worker::imports::attempts(connection, &id)?))
            })
            .await?;
        let options =
            row.as_ref().and_then(|row| serde_json::from_str(&row.options).ok()).unwrap_or_default();
        let import = row.map(ImportPicture::from);
        let target = &console.target;
        let executions = Box::pin(executions(target, &address.id, import.as_ref(), &attempts)).await?;
        if import.is_none() && executions.is_empty() {
            return Err(PageError::not_found(format!(
                "There is no import {}; the list has those that there are.",
                address.id
            )));
        }
        let arn = match address.execution() {
            // An execution of another import has its own page.
            Some(name) if ExecutionName::import_id_in(name) == Some(address.id.as_str()) => {
                Some(execution_arn(target, name))
            }
            Some(name) => {
                return Err(PageError::not_found(format!(
                    "{name} is no execution of the import {}.",
                    address.id
                )));
            }
            None => executions.first().cloned(),
        };
        let mut shown = match arn {
            Some(arn) => Box::pin(Shown::gather(console, &arn)).await?,
            None => None,
        };
        if let (Some(shown), Some(import)) = (&mut shown, &import)
            && import.status == "SUCCESS"
        {
            shown.execution.heed_success(import.execution_arn.as_deref());
        }
        Ok(Self { import, options, attempts, executions, shown })
    }

    /// Whether something of it may still change by itself.
    pub(super) fn moves(&self) -> bool {
        let import = self
            .import
            .as_ref()
            .is_some_and(|import| matches!(import.status.as_str(), "PENDING" | "RUNNING"));
        let shown = self.shown.as_ref().is_some_and(|shown| {
            !shown.is_whole
                || shown.execution.standing == Standing::Running
                || matches!(shown.fate, Some(MessageFate::BeingDeadLettered { .. }))
        });
        import || shown
    }
}

impl Shown {
    /// None where Step Functions does not know the execution, not yet or not any more.
    async fn gather(console: &Console, arn: &str) -> anyhow::Result<Option<Self>> {
        let Some(described) = describe(&console.target, arn).await? else { return Ok(None) };
        let (told, graph) =
            tokio::join!(console.stories.of(&console.target, arn), graph(&console.target, arn));
        let KnownStory { story, is_whole, .. } = told?;
        let started_at = time(&described.start_date);
        let input = described.input.as_deref().and_then(|input| serde_json::from_str(input).ok());
        let execution = Execution::of_target(&console.target, described);
        let fate = if is_whole {
            message::fate(&console.target, &picture(&execution, started_at, &story)).await?
        } else {
            None
        };
        Ok(Some(Self { execution, started_at, input, story, is_whole, graph, fate }))
    }

    /// The message group that it is held for, on a FIFO queue.
    pub(super) fn group(&self) -> Option<&str> {
        self.input.as_ref()?.message.group_id.as_deref()
    }
}

async fn describe(target: &Target, arn: &str) -> anyhow::Result<Option<DescribeExecutionOutput>> {
    match target.sfn.describe_execution().execution_arn(arn).send().await {
        Ok(described) => Ok(Some(described)),
        Err(error) if error.as_service_error().is_some_and(|error| error.is_execution_does_not_exist()) => {
            Ok(None)
        }
        Err(error) => Err(of_aws(error)).with_context(|| format!("failed to describe the execution {arn}")),
    }
}

/// The machine as it was when the execution began.
async fn graph(target: &Target, arn: &str) -> Result<Graph, String> {
    let described = target.sfn.describe_state_machine_for_execution().execution_arn(arn).send().await;
    let described =
        described.map_err(|error| format!("the state machine cannot be had: {}", of_aws(error)))?;
    Graph::read(&described.definition)
}

/// As `baton show` has it, as far as the fate of a message needs it.
fn picture(execution: &Execution, started_at: DateTime<Utc>, story: &Story) -> ExecutionPicture {
    ExecutionPicture {
        arn: execution.arn.clone(),
        status: execution.status.clone(),
        started_at,
        stopped_at: execution.stopped_at,
        redrives: execution.redrives,
        error: None,
        cause: None,
        states: story.states_that_succeeded(),
    }
}

/// The executions that worked on the import, as its attempts name them, or else as they are named.
async fn executions(
    target: &Target,
    id: &JobId,
    import: Option<&ImportPicture>,
    attempts: &[AttemptRow],
) -> anyhow::Result<Vec<String>> {
    let mut arns: Vec<String> = Vec::new();
    let latest = import.and_then(|import| import.execution_arn.as_ref());
    for arn in latest.into_iter().chain(attempts.iter().rev().map(|attempt| &attempt.execution_arn)) {
        if !arns.contains(arn) {
            arns.push(arn.clone());
        }
    }
    // No worker has come as far as to claim it: the executions are known by their names alone.
    if arns.is_empty() {
        arns = unclaimed::executions(target, id).await?;
    }
    Ok(arns)
}
