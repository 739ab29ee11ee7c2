//! Imports that an operator stops while they are under way.

use aws_sdk_sfn::types::{ExecutionStatus, HistoryEventType};
use e2e::stack::Sent;
use e2e::{Backend, Gate, TestStack, binaries, wait};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::desk::{at_terminal, baton_beside};
use crate::mid_load::{self, ROWS, under_way};

async fn status(stack: &TestStack, sent: &Sent) -> ExecutionStatus {
    stack.sfn.describe_execution().execution_arn(&sent.execution_arn).send().await.unwrap().status
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_import_is_cancelled_once_that_was_confirmed_and_can_be_redriven() {
    let stack = TestStack::start(Backend::Sqlite).await;
    let sent = under_way(&stack, "people-1").await;
    let planned = baton_beside(&stack, &["cancel", "people-1"]).await;
    planned.complains(
        2,
        &[
            "people-1: would be cancelled:",
            "is stopped in RunImport, and its container with it",
            "that its worker has handed to the database so far are rolled back",
            "goes to the dead-letter queue, with the error Cancelled",
            "redrive people-1",
            "--yes",
        ],
    );
    assert_eq!(status(&stack, &sent).await, ExecutionStatus::Running);

    let outcomes =
        baton_beside(&stack, &["cancel", "people-1", "--yes", "--json"]).await.expect(0, &[]).json();
    let [outcome] = outcomes.as_array().unwrap().as_slice() else { panic!("{outcomes}") };
    assert_eq!((&outcome["result"], &outcome["rows"]), (&json!("cancelled"), &json!(0)), "{outcome}");
    assert_eq!(outcome["status"], "FAILURE");
    let execution = &outcome["executions"][0];
    assert_eq!((&execution["status"], &execution["error"]), (&json!("ABORTED"), &json!("Cancelled")));
    let cause = execution["cause"].as_str().unwrap();
    assert!(cause.starts_with("cancelled by ") && cause.contains('@'), "{cause}");
    assert_eq!(execution["message"]["fate"], "dead_lettered", "{outcome}");
    assert_eq!((stack.count("people"), stack.workers().len()), (0, 0));

    // It has one name wherever it is looked for, which its worker did not know.
    let listed = baton_beside(&stack, &["imports", "--error", "Cancelled", "--json"]).await.json();
    assert_eq!((&listed[0]["error"], listed[0]["cause"].as_str()), (&json!("Cancelled"), Some(cause)));
    let shown = baton_beside(&stack, &["show", "people-1", "--json"]).await.json();
    assert_eq!(shown["import"]["error"], shown["execution"]["error"], "{shown}");
    assert_eq!(shown["attempts"][0]["ended_as"], "Import.Interrupted", "what its worker wrote");
    let planned = baton_beside(&stack, &["redrive", "--error", "Cancelled"]).await;
    planned.complains(2, &["1 execution would be redriven", "people-1"]);

    let again = baton_beside(&stack, &["cancel", "people-1", "--yes"]).await;
    again.expect(1, &["people-1: not cancelled: it has failed already, and nothing of it runs"]);
    let redriven = baton_beside(&stack, &["redrive", "people-1"]).await;
    redriven.expect(0, &["people-1: SUCCEEDED, 20,000 rows, attempt 2; its dead letter"]);
    assert_eq!(stack.count("people"), i64::from(ROWS));
    let late = baton_beside(&stack, &["cancel", "people-1", "--yes"]).await;
    late.expect(1, &["people-1: not cancelled: its rows are in the table already"]);
    stack.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_that_no_worker_has_claimed_yet_is_cancelled_too() {
    let gate = Gate::shut();
    let stack = TestStack::start_as(Backend::Sqlite, |config| gate.before(config)).await;
    stack.create_people();
    let source = stack.put("uploads/people.csv", "id,name\n1,a\n").await;
    let sent = stack.describe("unclaimed", &source, "people", json!({})).await;
    let containers = async || stack.history(&sent.execution_arn).await.len();
    // Started, both states before RunImport, scheduled, started, submitted.
    wait::until("the container to be there", containers, |events| *events >= 12).await;
    let ended = baton_beside(&stack, &["cancel", "unclaimed", "--yes"]).await;
    ended.expect(
        0,
        &["unclaimed: cancelled; no row of it is in the table", "message   put into the dead-letter queue"],
    );
    assert_eq!(stack.import(&sent.import_id), None);
    let shown = baton_beside(&stack, &["show", "unclaimed"]).await;
    shown.complains(
        2,
        &["no worker has registered the import unclaimed", "ABORTED with Cancelled, cancelled by"],
    );
    shown.complains(2, &["redrive unclaimed --data-dir", "` runs it again"]);
    let rejects = baton_beside(&stack, &["rejects", "unclaimed"]).await;
    rejects.complains(2, &["no worker has registered the import unclaimed", "` runs it again"]);
    let again = baton_beside(&stack, &["cancel", "unclaimed", "--yes"]).await;
    again.expect(1, &["unclaimed: not cancelled: its execution has ended, and nothing of it runs; `"]);
    let letter = stack.dead_letter().await.message_attributes.unwrap();
    assert_eq!(letter["Error"].string_value.as_deref(), Some("Cancelled"));
    assert!(letter["Cause"].string_value.as_deref().unwrap().starts_with("cancelled by "));
    gate.open();
    stack.audit().await;
    // Where it works, and nothing else.
    assert_eq!(ended.stderr.lines().count(), 1, "{ended:#?}");
}

/// Registers an import, as `baton submit` does, and sends its message.
async fn submit(stack: &TestStack, import_id: &str) -> Sent {
    let source = stack.put("uploads/people.csv", mid_load::file()).await;
    let import = worker::imports::NewImport {
        import_id: import_id.parse().unwrap(),
        source,
        version_id: None,
        table: "people".to_owned(),
        options: statemachine::ImportOptions::default(),
    };
    worker::imports::register(&mut stack.database.connect().unwrap(), &import).unwrap();
    stack.send_for(import_id, &json!({ "import_id": import_id }).to_string()).await
}

/// Waits until its container waits at the gate.
async fn at_the_gate(stack: &TestStack, sent: &Sent, containers: usize) {
    let submitted = async || {
        let history = stack.history(&sent.execution_arn).await;
        history.iter().filter(|event| event.r#type == HistoryEventType::TaskSubmitted).count()
    };
    wait::until("the container to be there", submitted, |events| *events == containers).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_that_was_cancelled_before_its_claim_is_shown_to_be_that_and_can_be_redriven() {
    for backend in [Backend::Sqlite, Backend::Postgres] {
        let gate = Gate::shut();
        let stack = TestStack::start_as(backend, |config| gate.before(config)).await;
        stack.create_people();
        let sent = submit(&stack, "registered").await;
        at_the_gate(&stack, &sent, 1).await;
        let cancelled = baton_beside(&stack, &["cancel", "registered", "--yes", "--json"]).await;
        let outcome = &cancelled.expect(0, &[]).json()[0];
        assert_eq!((&outcome["result"], &outcome["status"]), (&json!("cancelled"), &json!("FAILURE")));
        let shown = baton_beside(&stack, &["show", "registered"]).await;
        shown.expect(
            0,
            &[
                "import     registered  FAILURE",
                "error     Cancelled",
                "cause     cancelled by ",
                "execution  ABORTED",
            ],
        );
        assert!(!shown.stdout.contains("none yet"), "{shown:#?}");
        let listed = baton_beside(&stack, &["imports", "--json"]).await.expect(0, &[]).json();
        assert_eq!((&listed[0]["status"], &listed[0]["error"]), (&json!("FAILURE"), &json!("Cancelled")));
        let again = baton_beside(&stack, &["cancel", "registered", "--yes"]).await;
        again.expect(1, &["not cancelled: it has failed already"]);
        gate.open();
        let redriven = baton_beside(&stack, &["redrive", "registered"]).await;
        redriven.expect(0, &["registered: SUCCEEDED, 20,000 rows, attempt 1; its dead letter is deleted"]);
        stack.audit().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_whose_execution_somebody_else_has_stopped_before_its_claim_is_said_not_to_wait() {
    let gate = Gate::shut();
    let stack = TestStack::start_as(Backend::Sqlite, |config| gate.before(config)).await;
    stack.create_people();
    let sent = submit(&stack, "stopped").await;
    at_the_gate(&stack, &sent, 1).await;
    stack.sfn.stop_execution().execution_arn(&sent.execution_arn).error("Operator").send().await.unwrap();
    let shown = baton_beside(&stack, &["show", "stopped"]).await;
    shown.expect(0, &["execution  ABORTED", "error     Operator", "ended before a worker claimed it; `"]);
    assert!(!shown.stdout.contains("none yet"), "{shown:#?}");
    let refused = baton_beside(&stack, &["cancel", "stopped", "--yes"]).await;
    refused.expect(1, &["stopped: not cancelled: its execution has ended, and nothing of it runs; `"]);
    gate.open();
    baton_beside(&stack, &["redrive", "stopped"]).await.expect(0, &["stopped: SUCCEEDED, 20,000 rows"]);
    stack.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_that_is_cancelled_when_its_worker_was_killed_runs_no_more_and_can_be_redriven() {
    let gate = Gate::shut();
    let stack = TestStack::start_as(Backend::Sqlite, |config| gate.before(config)).await;
    gate.let_pass("killed");
    let sent = under_way(&stack, "killed").await;
    // The container that replaces it does not come as far as to claim the import.
    gate.hold_again("killed");
    for worker in stack.workers() {
        rustix::process::kill_process(worker, rustix::process::Signal::KILL).unwrap();
    }
    at_the_gate(&stack, &sent, 2).await;
    let cancelled = baton_beside(&stack, &["cancel", "killed", "--yes"]).await;
    cancelled.expect(0, &["killed: cancelled; no row of it is in the table"]);
    assert!(!cancelled.stdout.contains("note"), "{cancelled:#?}");
    let shown = baton_beside(&stack, &["show", "killed"]).await;
    shown.expect(
        0,
        &["import     killed  FAILURE", "were sent to the database, and rolled back", "error     Cancelled"],
    );
    let attempts = baton_beside(&stack, &["show", "killed", "--json"]).await.json()["attempts"].take();
    assert_eq!((&attempts[0]["ended_as"], &attempts[1]), (&json!("Cancelled"), &json!(null)), "{attempts}");
    gate.open();
    let redriven = baton_beside(&stack, &["redrive", "killed"]).await;
    redriven.expect(0, &["killed: SUCCEEDED, 20,000 rows, attempt 2; its dead letter is deleted"]);
    assert_eq!(stack.count("people"), i64::from(ROWS));
    stack.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_in_the_queue_cannot_be_cancelled_and_is_said_to_wait() {
    let stack = TestStack::start_at_rest(Backend::Sqlite).await;
    let import = worker::imports::NewImport {
        import_id: "waiting".parse().unwrap(),
        source: "s3://baton/uploads/people.csv".parse().unwrap(),
        version_id: None,
        table: "people".to_owned(),
        options: statemachine::ImportOptions::default(),
    };
    worker::imports::register(&mut stack.database.connect().unwrap(), &import).unwrap();
    stack.send(r#"{"import_id": "waiting"}"#).await;
    let refused = baton_beside(&stack, &["cancel", "waiting", "--yes", "--json"]).await.expect(1, &[]).json();
    assert_eq!((&refused[0]["result"], &refused[0]["status"]), (&json!("not_cancelled"), &json!("PENDING")));
    assert!(refused[0]["reason"].as_str().unwrap().contains("waits in the queue"), "{refused}");
    assert_eq!(stack.messages(&stack.resources.queue_url).await, 1);
    baton_beside(&stack, &["cancel", "nobody", "--yes"]).await.complains(2, &["there is no import nobody"]);
    stack.stop().await;
}

/// `script` gives a program a terminal.
async fn at_a_terminal(stack: &TestStack, answer: &str) -> (Option<i32>, String) {
    let command = format!(
        "{} cancel people-1 --data-dir {}",
        binaries::path("baton").display(),
        stack.data_dir().display()
    );
    let mut terminal = at_terminal(&command).spawn().unwrap();
    let (mut keys, mut screen) = (terminal.stdin.take().unwrap(), terminal.stdout.take().unwrap());
    let mut seen = Vec::new();
    while !String::from_utf8_lossy(&seen).contains("Cancel? [y/N] ") {
        let read = screen.read_buf(&mut seen).await.unwrap();
        assert!(read > 0, "{}", String::from_utf8_lossy(&seen));
    }
    keys.write_all(answer.as_bytes()).await.unwrap();
    keys.flush().await.unwrap();
    screen.read_to_end(&mut seen).await.unwrap();
    (terminal.wait().await.unwrap().code(), String::from_utf8(seen).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn at_a_terminal_cancelling_asks_and_does_nothing_without_a_yes() {
    let stack = TestStack::start(Backend::Sqlite).await;
    let sent = under_way(&stack, "people-1").await;
    let (code, screen) = at_a_terminal(&stack, "\n").await;
    assert!(code == Some(1) && screen.contains("nothing was done"), "{screen}");
    assert_eq!(status(&stack, &sent).await, ExecutionStatus::Running);
    let (code, screen) = at_a_terminal(&stack, "y\n").await;
    assert!(code == Some(0) && screen.contains("people-1: cancelled"), "{screen}");
    assert_eq!((status(&stack, &sent).await, stack.count("people")), (ExecutionStatus::Aborted, 0));
    stack.dead_letter().await;
    stack.audit().await;
}
