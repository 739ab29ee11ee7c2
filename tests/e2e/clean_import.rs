//! From the queue to the table, when nothing goes wrong.

use std::io::Write as _;

use aws_sdk_sfn::types::ExecutionStatus;
use e2e::{Backend, TestStack, rows};
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use statemachine::{ImportResult, Outcome, Report};

const PEOPLE: &str = "id,name\n1,山田 太郎\n2,\"Smith, John\"\n3,\"line\nbreak\"\n";

async fn imports_every_row(backend: Backend) {
    let stack = TestStack::start(backend).await;
    stack.create_people();
    let source = stack.put("uploads/people.csv", PEOPLE).await;
    let sent = stack.describe("clean", &source, "people", json!({})).await;

    let execution = stack.ended(&sent.execution_arn).await;
    assert_eq!(execution.status, ExecutionStatus::Succeeded, "{execution:?}");
    let report: Report<ImportResult> = serde_json::from_str(&execution.output.unwrap()).unwrap();
    assert_eq!(
        (report.outcome, report.result.rows, report.result.rejects, report.attempt),
        (Outcome::Done, 3, 0, 1)
    );
    let names = rows::texts(&stack.database, "SELECT name AS value FROM people ORDER BY id");
    assert_eq!(names, ["山田 太郎", "Smith, John", "line\nbreak"]);
    let row = stack.import(&sent.import_id).unwrap();
    assert_eq!((row.status.as_str(), row.rows_done, row.attempt), ("SUCCESS", 3, 1));
    stack.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_becomes_rows_in_sqlite() {
    Box::pin(imports_every_row(Backend::Sqlite)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_becomes_rows_in_postgresql() {
    Box::pin(imports_every_row(Backend::Postgres)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registered_import_is_started_by_its_id_alone() {
    let stack = TestStack::start(Backend::Sqlite).await;
    stack.create_people();
    let source = stack.put("uploads/people.csv", PEOPLE).await;
    let import =
        serde_json::from_value(json!({"import_id": 42, "source": source, "table": "people"})).unwrap();
    let new = worker::imports::NewImport::of(&import).unwrap();
    worker::imports::register(&mut stack.database.connect().unwrap(), &new).unwrap();
    let sent = stack.send_for("42", r#"{"import_id": 42}"#).await;
    assert_eq!(stack.ended(&sent.execution_arn).await.status, ExecutionStatus::Succeeded);
    assert_eq!(stack.count("people"), 3);
    stack.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_put_under_imports_is_imported_into_the_table_of_its_key() {
    let stack = TestStack::start(Backend::Sqlite).await;
    stack.create_people();
    stack.put("imports/people/2026/名簿 1.csv", PEOPLE).await;
    let look = async || stack.count("people");
    e2e::wait::until("the rows to be there", look, |rows| *rows == 3).await;
    stack.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_compressed_file_put_under_imports_is_imported_and_its_rejects_file_is_not() {
    let stack = TestStack::start(Backend::Sqlite).await;
    stack.create_people();
    let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
    gzip.write_all(PEOPLE.as_bytes()).unwrap();
    stack.put("imports/people/名簿.CSV.gz", gzip.finish().unwrap()).await;
    let look = async || stack.count("people");
    e2e::wait::until("the rows to be there", look, |rows| *rows == 3).await;
    // As a worker would put it; an event for it would leave a message, and then a dead letter, for the audit to find.
    stack.put("imports/people/名簿.CSV.gz.s3-0123456789abcdef.1.rejects", "baton_line,baton_reason\n").await;
    stack.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_states_and_the_containers_end_stand_in_the_history() {
    let stack = TestStack::start(Backend::Sqlite).await;
    stack.create_people();
    let source = stack.put("uploads/people.csv", PEOPLE).await;
    let sent = stack.describe("history", &source, "people", json!({})).await;
    stack.ended(&sent.execution_arn).await;
    let history = stack.sfn.get_execution_history().execution_arn(&sent.execution_arn).send().await.unwrap();
    let entered: Vec<_> = history
        .events
        .iter()
        .filter_map(|event| event.state_entered_event_details.as_ref().map(|details| details.name.as_str()))
        .collect();
    assert_eq!(entered, ["CheckMessage", "HoldMessage", "RunImport", "DeleteMessage", "Imported"]);
    let submitted = history.events.iter().find_map(|event| {
        let details = event.task_submitted_event_details.as_ref()?;
        serde_json::from_str::<Value>(details.output.as_deref()?).ok()
    });
    assert!(submitted.unwrap()["Tasks"][0]["TaskArn"].as_str().unwrap().contains(":task/"));
    stack.audit().await;
}
