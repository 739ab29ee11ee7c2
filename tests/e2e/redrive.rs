//! Failed imports that are run again in their own executions: by `baton redrive` and by clients that nobody here wrote.

mod both_ways;
mod interrupted;

use aws_sdk_sfn::types::ExecutionStatus;
use diesel::connection::SimpleConnection as _;
use e2e::stack::Sent;
use e2e::{Backend, TestStack, rows, wait};
use serde_json::json;
use statemachine::{ImportOptions, Source};
use worker::db::{Connection, Database};
use worker::imports::NewImport;

use crate::clients;
use crate::desk::{Desk, baton_beside};

/// Sends an import that fails, and waits until its message is in the dead-letter queue.
async fn failed(stack: &TestStack, import_id: &str, source: &Source, table: &str) -> Sent {
    let letters = stack.messages(&stack.resources.dead_letter_queue_url).await;
    let sent = stack.describe(import_id, source, table, json!({})).await;
    assert_eq!(stack.ended(&sent.execution_arn).await.status, ExecutionStatus::Failed);
    let look = async || stack.messages(&stack.resources.dead_letter_queue_url).await;
    wait::until("the message to be dead-lettered", look, |count| *count > letters).await;
    sent
}

fn nowhere(name: &str) -> Source {
    format!("s3://baton/uploads/{name}.csv").parse().unwrap()
}

async fn redrives(stack: &TestStack, sent: &Sent) -> i32 {
    let described = stack.sfn.describe_execution().execution_arn(&sent.execution_arn).send().await.unwrap();
    described.redrive_count.unwrap()
}

async fn is_redriven_until_it_succeeds(backend: Backend) {
    let stack = TestStack::start(backend).await;
    let source = stack.put("uploads/people.csv", "id,name\n1,a\n2,b\n").await;
    let sent = failed(&stack, "people-1", &source, "people").await;
    for redrive in 1..=2 {
        let ended = baton_beside(&stack, &["redrive", "people-1"]).await;
        let words = ["people-1: FAILED again with Import.TableMissing\n  cause     ", "redrive people-1"];
        ended.expect(1, &words);
        assert_eq!(redrives(&stack, &sent).await, redrive);
    }
    stack.create_people();
    let ended = baton_beside(&stack, &["redrive", "people-1"]).await;
    ended.expect(0, &["people-1: SUCCEEDED, 2 rows, attempt 4; its dead letter"]);
    assert_eq!(stack.count("people"), 2);
    let shown = baton_beside(&stack, &["show", "people-1"]).await;
    shown.expect(
        0,
        &["SUCCESS", "attempts  4", "redriven  3 times", "4: succeeded (exit code 0)", "message    deleted"],
    );

    let again = baton_beside(&stack, &["redrive", "people-1"]).await;
    again.expect(0, &["people-1: it has succeeded already; nothing is left to do\n"]);
    assert_eq!((redrives(&stack, &sent).await, stack.count("people")), (3, 2));
    stack.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_import_is_redriven_until_its_cause_is_mended_and_its_rows_are_there_once() {
    is_redriven_until_it_succeeds(Backend::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_import_is_redriven_until_its_cause_is_mended_and_its_rows_are_there_once_in_postgresql() {
    is_redriven_until_it_succeeds(Backend::Postgres).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redrive_keeps_the_options_and_reads_the_file_that_is_there_now() {
    let stack = TestStack::start(Backend::Sqlite).await;
    stack.create_people();
    let source = stack.put("uploads/people.csv", "id,name\n1,a\nx,b\ny,c\n").await;
    let sent = stack.describe("rejects", &source, "people", json!({"max_rejects": 1})).await;
    stack.ended(&sent.execution_arn).await;
    let ended = baton_beside(&stack, &["redrive", "rejects"]).await;
    ended.expect(
        1,
        &[
            "FAILED again with Import.TooManyRejects",
            "options of an import cannot change",
            "the uploaded file",
        ],
    );
    stack.put("uploads/people.csv", "id,name\n1,a\nx,b\n3,c\n").await;
    baton_beside(&stack, &["redrive", "rejects"]).await.expect(0, &["SUCCEEDED, 2 rows, attempt 3"]);
    assert_eq!(stack.import(&sent.import_id).unwrap().rejects, 1);
    assert_eq!(stack.count("people"), 2);
    stack.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_that_was_never_claimed_is_found_by_the_name_of_its_execution() {
    let stack = TestStack::start(Backend::Sqlite).await;
    stack.create_people();
    let sent = stack.send_for("later", r#"{"import_id": "later"}"#).await;
    let failed = stack.ended(&sent.execution_arn).await;
    assert_eq!(failed.error.as_deref(), Some("Import.NotRegistered"));
    assert!(stack.import(&sent.import_id).is_none());
    baton_beside(&stack, &["redrive", "later"])
        .await
        .expect(1, &["later: FAILED again with Import.NotRegistered"]);
    let import = NewImport {
        import_id: sent.import_id.clone(),
        source: stack.put("uploads/later.csv", "id,name\n1,a\n").await,
        version_id: None,
        table: "people".to_owned(),
        options: ImportOptions::default(),
    };
    worker::imports::register(&mut stack.database.connect().unwrap(), &import).unwrap();
    let name = sent.execution_arn.rsplit(':').next().unwrap();
    let ended = baton_beside(&stack, &["redrive", name]).await;
    ended.expect(0, &["later: SUCCEEDED, 1 row, attempt 1; its dead letter"]);
    assert_eq!(stack.count("people"), 1);
    stack.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_failed_imports_are_redriven_by_error_and_time_once_that_was_confirmed() {
    let stack = TestStack::start(Backend::Sqlite).await;
    stack.create_people();
    let a = failed(&stack, "a", &nowhere("a"), "people").await;
    let b = failed(&stack, "b", &nowhere("b"), "people").await;
    let there = stack.put("uploads/c.csv", "id,name\n3,c\n").await;
    let c = failed(&stack, "c", &there, "missing").await;
    stack.send("noise").await;
    let look = async || stack.messages(&stack.resources.dead_letter_queue_url).await;
    wait::until("the noise to be dead-lettered", look, |count| *count == 4).await;

    let planned = baton_beside(&stack, &["redrive", "--all-failed"]).await;
    planned.complains(
        2,
        &[
            "passed over 1 execution",
            "3 executions would be redriven:\n\nIMPORT  ERROR                 FAILED",
            "\na       Import.SourceMissing  ",
            "\nc       Import.TableMissing   ",
            "error: nothing was done; --yes redrives them",
        ],
    );
    assert_eq!(planned.stdout, "");
    // Who names the error of what cannot be redriven is told why, and is promised nothing.
    let hopeless = baton_beside(&stack, &["redrive", "--error", "Message.Invalid"]).await;
    hopeless.complains(
        0,
        &[
            "1 execution would not be redriven:\ninvalid-",
            ": its message asks for no import and would fail again; ",
            "no failed execution is to be redriven",
        ],
    );
    assert!(!hopeless.stderr.contains("--yes"), "{}", hopeless.stderr);
    let hopeless = baton_beside(&stack, &["redrive", "--error", "Message.Invalid", "--yes"]).await;
    hopeless.expect(1, &["not redriven: its message asks for no import"]);
    assert!(!hopeless.stderr.contains("redriving"), "{}", hopeless.stderr);
    let none =
        baton_beside(&stack, &["redrive", "--all-failed", "--since", "2999-01-01T00:00:00Z", "--yes"]).await;
    none.complains(0, &["no failed execution is to be redriven"]);
    for sent in [&a, &b, &c] {
        assert_eq!(redrives(&stack, sent).await, 0);
    }

    stack.put("uploads/a.csv", "id,name\n1,a\n").await;
    stack.put("uploads/b.csv", "id,name\n2,b\n").await;
    let ended =
        baton_beside(&stack, &["redrive", "--error", "Import.SourceMissing", "--since", "1h", "--yes"]).await;
    ended.expect(
        0,
        &[
            "a: SUCCEEDED, 1 row, attempt 2; its dead letter",
            "b: SUCCEEDED, 1 row, attempt 2; its dead letter",
        ],
    );
    ended.complains(0, &["redriving 2 executions:"]);
    assert_eq!((redrives(&stack, &a).await, redrives(&stack, &c).await), (1, 0));

    baton_beside(&stack, &["redrive", "--all-failed", "--yes"]).await.expect(1, &["c: FAILED again"]);
    rows::execute(&stack.database, "CREATE TABLE missing (id bigint PRIMARY KEY, name text)");
    let ended = baton_beside(&stack, &["redrive", "--all-failed", "--yes", "--json"]).await;
    let outcomes = ended.json();
    assert_eq!(outcomes.as_array().unwrap().len(), 1, "{outcomes:#}");
    let expected = json!({
        "import_id": "c", "execution_arn": c.execution_arn, "result": "succeeded", "status": "SUCCEEDED",
        "redrives": 2, "rows": 1, "attempt": 3, "error": null, "cause": null, "reason": null,
        "dead_letters_deleted": outcomes[0]["dead_letters_deleted"],
    });
    assert_eq!(outcomes[0], expected);
    assert!(outcomes[0]["dead_letters_deleted"].as_u64().unwrap() >= 1, "{outcomes:#}");
    assert_eq!((stack.count("people"), stack.count("missing")), (2, 1));
    baton_beside(&stack, &["dlq", "drop", "--error", "Message.Invalid", "--yes"])
        .await
        .expect(0, &["dropped"]);
    stack.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_redriven_is_said_to_be_what_it_is_and_does_not_hold_up_the_others() {
    let stack = TestStack::start(Backend::Sqlite).await;
    stack.create_people();
    let unknown = baton_beside(&stack, &["redrive", "no-such-import"]).await;
    unknown.complains(2, &["cannot redrive no-such-import", "imports --data-dir"]);
    baton_beside(&stack, &["redrive"]).await.complains(2, &["--all-failed"]);
    baton_beside(&stack, &["redrive", "x", "--all-failed"]).await.complains(2, &["cannot be used with"]);
    baton_beside(&stack, &["redrive", "--since", "yesterday"]).await.complains(2, &["2h"]);

    let noise = stack.send("noise").await;
    let noise = format!("invalid-{noise}");
    stack.ended(&stack.execution_arn(&noise)).await;
    let ended = baton_beside(&stack, &["redrive", &noise]).await;
    ended.expect(
        1,
        &[
            &format!("{noise}: not redriven: its message asks for no import"),
            "dlq list --error Message.Invalid",
        ],
    );

    // Its worker waits for the one lock for writing; `baton` only looks, and does not.
    let Connection::Sqlite(mut writing) = stack.database.connect().unwrap() else { panic!("this is SQLite") };
    writing.batch_execute("BEGIN IMMEDIATE").unwrap();
    let source = stack.put("uploads/running.csv", "id,name\n1,a\n").await;
    let running = stack.describe("running", &source, "people", json!({})).await;
    wait::until("the worker to start", async || stack.workers().len(), |count| *count > 0).await;
    let ended = baton_beside(&stack, &["redrive", "running"]).await;
    writing.batch_execute("ROLLBACK").unwrap();
    ended.expect(1, &["running: not redriven: it is running; `", "show running"]);
    assert_eq!(stack.ended(&running.execution_arn).await.status, ExecutionStatus::Succeeded);

    let old = failed(&stack, "old", &nowhere("old"), "people").await;
    let states =
        Database::parse(&format!("sqlite:{}/stack/states.sqlite", stack.data_dir().display())).unwrap();
    let millis: i64 = 15 * 24 * 60 * 60 * 1000;
    let name = old.execution_arn.rsplit(':').next().unwrap();
    // The end of the worker may still be on its way to the execution. With the version changed, that step reads this
    // row anew, instead of writing back the one that it read before.
    rows::execute(
        &states,
        &format!(
            "UPDATE executions SET version = version + 1, stopped_ms = stopped_ms - {millis}, \
         state = json_set(state, '$.stopped', json_extract(state, '$.stopped') - {millis}) WHERE name = '{name}'"
        ),
    );
    failed(&stack, "good", &nowhere("good"), "people").await;
    stack.put("uploads/good.csv", "id,name\n2,a\n").await;
    let ended = baton_beside(&stack, &["redrive", "old", "nobody", "good", "running", "good"]).await;
    ended.expect(
        1,
        &[
            "old: not redriven: it ended more than 14 days ago",
            "dlq redrive old",
            "nobody: not redriven: there is no such import",
            "good: SUCCEEDED, 1 row, attempt 2",
            "running: it has succeeded already",
        ],
    );
    assert_eq!(ended.stdout.matches("good: ").count(), 1, "{ended:#?}");
    baton_beside(&stack, &["dlq", "drop", "--all", "--yes"]).await.expect(0, &[]);
    stack.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn boto3_redrives_an_import_and_moves_the_dead_letter_that_stays() {
    let stack = TestStack::start(Backend::Sqlite).await;
    stack.create_people();
    clients::run(&stack, "boto3_redrive.py").await;
    assert_eq!(stack.count("people"), 2);
    stack.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_aws_command_line_redrives_an_import_as_often_as_needed() {
    let stack = TestStack::start(Backend::Sqlite).await;
    stack.create_people();
    clients::run(&stack, "aws_cli_redrive.py").await;
    assert_eq!(stack.count("people"), 2);
    // The CLI knows nothing of dead letters; what it leaves, the next redrive deletes.
    baton_beside(&stack, &["redrive", "cli"]).await.expect(0, &["succeeded already", "dead letter"]);
    stack.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_contradicts_an_import_keeps_its_dead_letter_though_that_import_has_succeeded() {
    let stack = TestStack::start(Backend::Sqlite).await;
    stack.create_people();
    let one = stack.put("uploads/one.csv", "id,name\n1,a\n").await;
    let two = stack.put("uploads/two.csv", "id,name\n2,b\n").await;
    let first = stack.describe("order", &one, "people", json!({})).await;
    assert_eq!(stack.ended(&first.execution_arn).await.status, ExecutionStatus::Succeeded);
    failed(&stack, "order", &two, "people").await;

    let shown = baton_beside(&stack, &["dlq", "show", "order"]).await;
    shown.expect(0, &["Import.Contradiction", "next      send what it asks for with another import_id"]);
    assert!(!shown.stdout.contains("redrive"), "{shown:#?}");
    for arguments in [&["redrive", "--all-failed"][..], &["redrive", "--all-failed", "--yes"]] {
        let redriven = baton_beside(&stack, arguments).await;
        redriven.complains(0, &["passed over 1 execution", "no failed execution is to be redriven"]);
    }
    let redriven = baton_beside(&stack, &["redrive", "order"]).await;
    redriven.expect(
        1,
        &["order: not redriven: its message asks for something else than the import that has its id"],
    );
    let kept = baton_beside(&stack, &["dlq", "drop", "order"]).await;
    kept.complains(
        2,
        &["would drop 1 message:", "Its execution would fail again: nothing else is left of it."],
    );
    baton_beside(&stack, &["dlq", "drop", "order", "--yes"]).await.expect(0, &["dropped"]);
    assert_eq!(stack.count("people"), 1);
    stack.audit().await;
}

#[tokio::test]
async fn what_baton_run_left_failed_is_redriven_without_a_stack_that_is_up() {
    let desk = Desk::new();
    let ended = desk.run("late", "id,name\n1,a\n", &[]).await;
    ended.expect(
        1,
        &["Import.TableMissing", "once the cause is mended, `", "redrive late` runs the import again"],
    );
    desk.baton(&["redrive", "late", "--no-wait"]).await.complains(2, &["baton up", "leave out --no-wait"]);
    desk.execute("CREATE TABLE people (id bigint PRIMARY KEY, name text)");
    desk.baton(&["redrive", "late"])
        .await
        .expect(0, &["late: SUCCEEDED, 1 row, attempt 2; its dead letter is deleted"]);
    assert_eq!(desk.people(), 1);
    let letters = desk.baton(&["dlq", "list"]).await;
    assert_eq!((letters.code, letters.stdout.as_str()), (Some(0), ""), "{letters:#?}");
    assert!(letters.stderr.contains("the dead-letter queue is empty"), "{letters:#?}");
}
