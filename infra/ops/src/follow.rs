//! Stays with an import until its execution has ended and its message is settled: a progress bar for a person at a
//! terminal, then the report.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use aws_sdk_sfn::error::DisplayErrorContext;
use aws_sdk_sfn::types::ExecutionStatus;
use aws_sdk_sqs::types::QueueAttributeName;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use worker::imports::ImportRow;

use crate::cli::Common;
use crate::show::picture;
use crate::submit::Submitted;
use crate::target::Target;
use crate::{output, report};

/// How often the import is looked at.
const GLANCE: Duration = Duration::from_millis(50);
/// How long the message may take to be settled after the execution has ended.
const SETTLING: Duration = Duration::from_secs(15);

/// Follows the import and prints its report.
pub(crate) async fn to_the_end(
    common: &Common,
    target: &Target,
    submitted: &Submitted,
) -> anyhow::Result<ExitCode> {
    let started = Instant::now();
    let bar = Bar::new();
    while !has_ended(target, &submitted.execution_arn).await? {
        if let Some(row) = find(target, submitted)? {
            bar.show(&row);
        }
        tokio::time::sleep(GLANCE).await;
    }
    bar.clear();
    wait_until_settled(target).await?;
    let picture = picture::take(target, &submitted.import_id, Some(&submitted.execution_arn)).await?;
    if common.json {
        output::json(&picture)?;
    } else {
        report::print(common, &picture, &target.database.display_name(), started.elapsed());
    }
    Ok(if picture.import.status == "SUCCESS" { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn find(target: &Target, submitted: &Submitted) -> anyhow::Result<Option<ImportRow>> {
    let mut connection = target.database.connect()?;
    Ok(worker::imports::find(&mut connection, &submitted.import_id)?)
}

async fn has_ended(target: &Target, execution_arn: &str) -> anyhow::Result<bool> {
    match target.sfn.describe_execution().execution_arn(execution_arn).send().await {
        Ok(execution) => {
            Ok(!matches!(execution.status, ExecutionStatus::Running | ExecutionStatus::PendingRedrive))
        }
        // The Lambda has not come to the message yet.
        Err(error) if error.as_service_error().is_some_and(|error| error.is_execution_does_not_exist()) => {
            Ok(false)
        }
        Err(error) => Err(anyhow::anyhow!("{}", DisplayErrorContext(error)))
            .with_context(|| format!("failed to describe the execution {execution_arn}")),
    }
}

/// The message of a failed import is dead-lettered by another execution, after the first has ended. A stack that ends with
/// this command must not end before that.
async fn wait_until_settled(target: &Target) -> anyhow::Result<()> {
    use QueueAttributeName::{
        ApproximateNumberOfMessages as Visible, ApproximateNumberOfMessagesNotVisible as Hidden,
    };
    let deadline = Instant::now() + SETTLING;
    while Instant::now() < deadline {
        let queue = target
            .sqs
            .get_queue_attributes()
            .queue_url(&target.resources.queue_url)
            .attribute_names(Visible)
            .attribute_names(Hidden)
            .send()
            .await
            .context("failed to ask for the state of the queue")?;
        let is_empty = queue.attributes.unwrap_or_default().values().all(|count| count == "0");
        if is_empty {
            break;
        }
        tokio::time::sleep(GLANCE).await;
    }
    Ok(())
}

/// The bar moves by bytes, which are known from the start; rows are told beside it.
struct Bar(ProgressBar);

impl Bar {
    fn new() -> Self {
        let target = if output::stderr_is_terminal() {
            ProgressDrawTarget::stderr()
        } else {
            ProgressDrawTarget::hidden()
        };
        let bar = ProgressBar::with_draw_target(Some(0), target);
        if let Ok(style) = ProgressStyle::with_template(
            "{prefix:>10} [{bar:32}] {bytes}/{total_bytes}  {msg}  {elapsed_precise} elapsed, {eta} left",
        ) {
            bar.set_style(style.progress_chars("=> "));
        }
        bar.set_prefix("queued");
        Self(bar)
    }

    fn show(&self, row: &ImportRow) {
        self.0.set_prefix(row.status.as_str().to_lowercase());
        self.0.set_length(row.bytes_total.try_into().unwrap_or(0));
        self.0.set_position(row.bytes_done.try_into().unwrap_or(0));
        let rows: u64 = row.rows_done.try_into().unwrap_or(0);
        let seconds = self.0.elapsed().as_secs_f64().max(0.001);
        #[expect(
            clippy::cast_precision_loss,
            clippy::cast_sign_loss,
            clippy::cast_possible_truncation,
            reason = "a rate to look at"
        )]
        let rate = (rows as f64 / seconds) as u64;
        self.0.set_message(format!("{} rows, {}/s", output::count(rows), output::count(rate)));
    }

    fn clear(&self) {
        self.0.finish_and_clear();
    }
}
