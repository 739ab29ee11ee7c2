//! The worker as it is called: a process with its environment, against a real database, a store and a Step Functions on this
//! machine. What it writes to its log, what it reports, and how much memory it takes.

mod logs;
mod memory;
mod report;

use std::process::{Command, Output};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use serde_json::{Value, json};

use crate::import::world::World;
use crate::step_functions::{Answer, Call, StepFunctions};

/// What became of one process.
struct Ended {
    /// What it wrote, on both streams.
    log: String,
    /// The calls that end a task.
    reports: Vec<Call>,
    exit: Option<i32>,
    /// The most memory that it had until it reported, in KiB.
    peak_kib: u32,
}

impl Ended {
    /// The output or the cause that was reported last.
    fn told(&self) -> String {
        let body = &self.reports.last().unwrap().body;
        let told = ["output", "cause"].into_iter().find_map(|field| body[field].as_str());
        told.unwrap().to_owned()
    }
}

/// Runs the worker for an object of the world's bucket. `answer` says what Step Functions makes of a call.
fn run_worker(
    world: &World,
    (id, key, table): (&str, &str, &str),
    options: &Value,
    answer: impl Fn(&Call) -> Answer + Send + Sync + 'static,
) -> Ended {
    let (pid, peak) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicU32::new(0)));
    let (of, seen) = (Arc::clone(&pid), Arc::clone(&peak));
    let look = move |call: &Call, _| {
        // It waits for this answer, so that it is there to be looked at.
        seen.fetch_max(high_water_mark(of.load(Relaxed)).unwrap_or(0), Relaxed);
        answer(call)
    };
    let step_functions = world.runtime.block_on(StepFunctions::answering(look));
    let import =
        json!({"import_id": id, "source": format!("s3://uploads/{key}"), "table": table, "options": options});
    let mut command = Command::new(env!("CARGO_BIN_EXE_worker"));
    command
        .env_clear()
        .env("DATABASE_URL", &world.url)
        .env("ALLOWED_TABLES", "*")
        .env("TASK_TOKEN", "the-token")
        .env("EXECUTION_ARN", "arn:aws:states:eu-west-1:123456789012:execution:import:ours")
        .env("IMPORT", import.to_string())
        .env("RUST_LOG", "trace")
        .env("AWS_REGION", "eu-west-1")
        .env("AWS_ACCESS_KEY_ID", "key")
        .env("AWS_SECRET_ACCESS_KEY", "secret")
        .env("AWS_ENDPOINT_URL_S3", &world.s3_url)
        .env("AWS_ENDPOINT_URL_SFN", step_functions.url())
        .env("S3_PATH_STYLE", "true")
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped());
    let child = command.spawn().unwrap();
    pid.store(child.id(), Relaxed);
    let Output { status, stdout, stderr } = child.wait_with_output().unwrap();
    let log = [stdout, stderr].map(|stream| String::from_utf8(stream).unwrap()).concat();
    let reports = step_functions.reports();
    Ended { log, reports, exit: status.code(), peak_kib: peak.load(Relaxed) }
}

/// The most memory that a process had so far, in KiB; none where the system does not say.
fn high_water_mark(pid: u32) -> Option<u32> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?.split_whitespace().next()?.parse().ok()
}
