//! The worker's peak memory, for a small and for a large file: it must not grow with the file.

use std::fmt::Write as _;

use aws_sdk_sfn::types::ExecutionStatus;
use e2e::memory::PeakMemory;
use e2e::{Backend, TestStack};
use serde_json::json;

pub(crate) async fn measure() {
    let backends = [(Backend::Sqlite, "SQLite"), (Backend::Postgres, "PostgreSQL")];
    for (backend, name) in backends.into_iter().filter(|(backend, _)| backend.is_available()) {
        for rows in [100_000_u32, 2_000_000] {
            let (peak, bytes) = Box::pin(peak_of_import(backend, rows)).await;
            let megabytes = bytes / 1_000_000;
            crate::table::figure(
                &format!("worker's peak memory, {name}, {rows} rows ({megabytes} MB)"),
                &format!("{:.1} MB", f64::from(peak) / 1024.0),
            );
        }
    }
}

/// Peak resident memory in KiB, and the size of the file in bytes.
async fn peak_of_import(backend: Backend, rows: u32) -> (u32, usize) {
    let stack = TestStack::start(backend).await;
    stack.create_people();
    let mut csv = String::from("id,name\n");
    for id in 0..rows {
        let _ = writeln!(csv, "{id},some name of number {id}");
    }
    let bytes = csv.len();
    let source = stack.put("uploads/many.csv", csv).await;
    let sent = stack.describe("many", &source, "people", json!({})).await;
    let mut peak = PeakMemory::of(&stack);
    let execution = {
        let mut ended = std::pin::pin!(stack.ended(&sent.execution_arn));
        loop {
            tokio::select! {
                execution = &mut ended => break execution,
                () = tokio::time::sleep(std::time::Duration::from_millis(5)) => {
                    let _ = peak.look();
                }
            }
        }
    };
    assert_eq!(execution.status, ExecutionStatus::Succeeded, "{execution:?}");
    assert_eq!(stack.count("people"), i64::from(rows), "every row is there");
    let peak = peak.kibibytes().expect("the worker was met");
    stack.audit().await;
    (peak, bytes)
}
