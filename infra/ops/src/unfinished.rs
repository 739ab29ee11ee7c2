//! Imports that a stack had not finished when it ended, and that the next stack on the folder goes on with.

use anyhow::Context as _;
use aws_sdk_sfn::types::ExecutionStatus;
use aws_sdk_sqs::types::QueueAttributeName;
use statemachine::ExecutionName;
use worker::imports::search;
use worker::ledger::{JobStatus, Search};

use crate::target::Target;

/// What a stack has found in its folder.
#[derive(Debug, Default)]
pub struct Unfinished {
    /// The imports that had begun, or were never begun, the earliest first: those whose executions run, and those whose messages wait.
    pub imports: Vec<String>,
    /// How many more messages wait: of imports that have failed before and are asked for once more, or that no row tells of.
    pub messages: usize,
}

/// Looks at a stack's folder.
///
/// # Errors
/// The stack or the database cannot be asked.
pub async fn find(target: &Target) -> anyhow::Result<Unfinished> {
    let running = running(target).await?;
    let waiting = messages(target).await?.saturating_sub(running.len());
    let mut imports = pending(target, waiting)?;
    let messages = waiting.saturating_sub(imports.len());
    imports.extend(running);
    imports.reverse();
    Ok(Unfinished { imports, messages })
}

/// The newest first.
async fn running(target: &Target) -> anyhow::Result<Vec<String>> {
    let found = target
        .sfn
        .list_executions()
        .state_machine_arn(&target.resources.import_state_machine_arn)
        .status_filter(ExecutionStatus::Running)
        .max_results(1000)
        .send()
        .await
        .context("failed to list the executions of the import machine")?;
    let names = found.executions.iter().map(|item| item.name.as_str());
    Ok(names.map(|name| ExecutionName::import_id_in(name).unwrap_or(name).to_owned()).collect())
}

/// How many messages are in the queues that imports come through; those of imports that run are hidden there.
pub(crate) async fn messages(target: &Target) -> anyhow::Result<usize> {
    let attributes = [
        QueueAttributeName::ApproximateNumberOfMessages,
        QueueAttributeName::ApproximateNumberOfMessagesNotVisible,
    ];
    let resources = &target.resources;
    let mut sum = 0;
    for queue_url in std::iter::once(&resources.queue_url).chain(&resources.lane_queue_url) {
        let found = target
            .sqs
            .get_queue_attributes()
            .queue_url(queue_url)
            .set_attribute_names(Some(attributes.to_vec()))
            .send()
            .await
            .context("failed to look at the queue")?;
        let numbers = found.attributes.iter().flat_map(|attributes| attributes.values());
        sum += numbers.filter_map(|number| number.parse::<usize>().ok()).sum::<usize>();
    }
    Ok(sum)
}

/// The newest imports that no worker has had yet, the newest first: as many as messages wait, because others may share the
/// database.
fn pending(target: &Target, waiting: usize) -> anyhow::Result<Vec<String>> {
    let limit = u32::try_from(waiting).unwrap_or(u32::MAX).min(1000);
    if limit == 0 {
        return Ok(Vec::new());
    }
    let wanted = Search { status: Some(JobStatus::Pending), limit, ..Search::default() };
    let page = search(&mut target.database.connect()?, &wanted)?;
    Ok(page.rows.into_iter().map(|row| row.id).collect())
}
