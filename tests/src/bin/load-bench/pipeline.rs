//! One import as a user has it: a message, the Lambda, an execution, a worker, a report. The time is that of all of it, from the
//! message to the end of the execution; what the worker tidies up after its report counts as CPU alone.

use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::{Duration, Instant, SystemTime};

use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_sfn::types::ExecutionStatus;
use e2e::TestStack;
use e2e::memory::PeakMemory;
use serde_json::Value;
use statemachine::{ImportResult, Report, Source};

use crate::contest::Run;
use crate::cpu::Clocks;

/// How long an import may take.
const DEADLINE: Duration = Duration::from_secs(3600);
/// How long a message may lie until its execution is there.
const START_DEADLINE: Duration = Duration::from_secs(60);
/// The time between two looks.
const GLANCE: Duration = Duration::from_millis(10);

/// Puts a file into the stack's bucket.
pub(crate) async fn put(stack: &TestStack, path: &Path) -> Source {
    let bucket = stack.resources.bucket.clone();
    let key =
        format!("uploads/{}", path.file_name().and_then(|name| name.to_str()).expect("a file has a name"));
    let body = ByteStream::from_path(path).await.expect("the file can be read");
    stack.s3.put_object().bucket(&bucket).key(&key).body(body).send().await.expect("S3 takes the file");
    Source { bucket, key }
}

/// Imports an object into the table `loaded`.
///
/// # Errors
/// The failure, as the execution tells it.
pub(crate) async fn import(
    stack: &TestStack,
    source: &Source,
    options: &Value,
    clocks: Clocks,
) -> Result<(Run, ImportResult), String> {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let id = format!("load-{}", NEXT.fetch_add(1, Relaxed));
    let before = clocks.read();
    let (started, started_at) = (Instant::now(), SystemTime::now());
    let sent = stack.describe(&id, source, "loaded", options.clone()).await;
    let mut peak = PeakMemory::of(stack);
    let execution = loop {
        tokio::time::sleep(GLANCE).await;
        assert!(started.elapsed() < DEADLINE, "{id} did not end within {} s", DEADLINE.as_secs());
        // Asking the stack all the time would keep it from serving the file; the execution knows itself when it ended.
        if peak.look() {
            continue;
        }
        let execution = stack.sfn.describe_execution().execution_arn(&sent.execution_arn).send().await.ok();
        match execution {
            Some(ended) if ended.status != ExecutionStatus::Running => break ended,
            // A message that the Lambda does not understand starts an execution of another name.
            None if started.elapsed() > START_DEADLINE => {
                return Err("the message started no execution of its name".to_owned());
            }
            _ => {}
        }
    };
    let ended_at = execution.stop_date.and_then(|date| SystemTime::try_from(date).ok());
    let wall =
        ended_at.and_then(|at| at.duration_since(started_at).ok()).expect("it ended after its message");
    let cpu = clocks.read() - before;
    if execution.status != ExecutionStatus::Succeeded {
        let cause = execution.cause.unwrap_or_default();
        let sentence = cause.lines().next().unwrap_or_default();
        return Err(format!("{}: {sentence}", execution.error.unwrap_or_default()));
    }
    let report: Report<ImportResult> = serde_json::from_str(execution.output.as_deref().unwrap_or_default())
        .expect("an execution's output is the worker's report");
    let own = Some(Duration::from_millis(report.elapsed_ms));
    Ok((Run { wall, own, cpu, peak_kibibytes: peak.kibibytes() }, report.result))
}
