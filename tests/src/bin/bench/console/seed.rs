//! A folder with very many imports. A few are made by the stack itself, the others are copies of them: their executions by
//! the stack's own means, their rows in the database by SQL.

use std::path::Path;

use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_sfn::types::ExecutionStatus;
use aws_sdk_sqs::types::QueueAttributeName;
use diesel::connection::SimpleConnection as _;
use e2e::{rows, wait};
use local_stack::states::seed::{Copy, Seed};
use serde_json::json;
use worker::db::{Connection, Database};

use super::up::Up;
use super::{PATIENCE, Size};

/// The import that the copies which succeeded are made of.
const DONE: &str = "model-done";
/// The import that the copies which failed are made of.
const FAILED: &str = "model-failed";
/// The import with a hundred times as many events.
pub(super) const LONG: &str = "model-long";
/// Of how many imports one failed.
const ONE_FAILED_OF: usize = 10;
/// How long before the one after it each import ran.
const APART_MS: i64 = 60_000;

/// The ids of the copies, the newest first.
pub(super) fn id(number: usize) -> String {
    format!("people-{number:05}")
}

/// The id of an import that has a dead letter.
pub(super) fn letter(number: usize) -> String {
    format!("letter-{number:02}")
}

fn has_failed(number: usize) -> bool {
    number.is_multiple_of(ONE_FAILED_OF)
}

/// Fills a folder, and returns how many events there are.
pub(super) async fn fill(data_dir: &Path, size: Size) -> i64 {
    std::fs::create_dir_all(data_dir).expect("there is room for a folder");
    let database = Database::parse(&format!("sqlite:{}", data_dir.join("baton.db").display())).unwrap();
    database.migrate().expect("a new database takes Baton's tables");
    let up = Up::start(data_dir).await;
    let mut executions = Vec::new();
    for (id, table) in [(DONE, "people"), (FAILED, "nobody"), (LONG, "nobody")] {
        let execution_arn = submit(&up, id, table).await;
        is_ended(&up, &execution_arn, 0).await;
        for redrive in 1..=2 {
            if table == "people" && redrive == 2 {
                rows::execute(
                    &database,
                    "CREATE TABLE people (id bigint PRIMARY KEY, name varchar(40) NOT NULL)",
                );
            }
            let redriven = up.sfn.redrive_execution().execution_arn(&execution_arn).send().await;
            redriven.expect("a failed execution can be redriven");
            is_ended(&up, &execution_arn, redrive).await;
        }
        executions.push(execution_arn);
    }
    // Their messages are dead-lettered by the stack itself.
    let mut letters = Vec::new();
    for number in 0..size.dead_letters {
        letters.push(submit(&up, &letter(number), "nobody").await);
    }
    for execution_arn in &letters {
        is_ended(&up, execution_arn, 0).await;
    }
    are_settled(&up, size.dead_letters).await;
    up.stop().await;

    let seed = Seed::open(data_dir).expect("the stack has left its file");
    let events = i64::try_from(size.events).unwrap();
    for (execution_arn, times) in executions.iter().zip([1, 1, 100]) {
        seed.lengthen(execution_arn, events * times).expect("it was redriven twice");
    }
    for (model, execution_arn, failed) in [(DONE, &executions[0], false), (FAILED, &executions[1], true)] {
        let numbers: Vec<_> = (0..size.executions).filter(|number| has_failed(*number) == failed).collect();
        let ids: Vec<_> = numbers.iter().map(|number| id(*number)).collect();
        let copies = numbers.iter().zip(&ids).map(|(number, id)| Copy {
            part: model,
            by: id,
            earlier_ms: i64::try_from(*number).unwrap() * APART_MS,
        });
        seed.copy(execution_arn, &copies.collect::<Vec<_>>()).expect("the names are free");
        copy_rows(&database, model, &numbers);
    }
    let copied = "SELECT count(*) AS value FROM \"baton_jobs\"";
    assert_eq!(
        rows::number(&database, copied),
        i64::try_from(size.executions + executions.len() + letters.len()).unwrap()
    );
    i64::try_from(size.executions).unwrap() * events + events * 100
}

/// Submits an import, and returns the ARN of its execution.
async fn submit(up: &Up, id: &str, table: &str) -> String {
    let resources = &up.session.resources;
    let key = format!("uploads/{id}.csv");
    let body = ByteStream::from_static(b"id,name\n1,a\n2,b\n");
    let put = up.s3.put_object().bucket(&resources.bucket).key(&key).body(body).send().await;
    put.expect("S3 takes it");
    let body = json!({"import_id": id, "source": format!("s3://{}/{key}", resources.bucket), "table": table});
    let sent =
        up.sqs.send_message().queue_url(&resources.queue_url).message_body(body.to_string()).send().await;
    let message_id = sent.expect("SQS takes it").message_id.expect("a message has an id");
    let machine = resources.import_state_machine_arn.replacen(":stateMachine:", ":execution:", 1);
    format!("{machine}:{id}-{message_id}")
}

async fn is_ended(up: &Up, execution_arn: &str, redrives: i32) {
    let look = async || {
        let described = up.sfn.describe_execution().execution_arn(execution_arn).send().await.ok()?;
        let is_ended = described.status != ExecutionStatus::Running;
        (is_ended && described.redrive_count == Some(redrives)).then_some(())
    };
    assert!(wait::within(PATIENCE, look, Option::is_some).await.is_ok(), "{execution_arn} does not end");
}

/// Waits until so many messages are in the dead-letter queue.
async fn are_settled(up: &Up, letters: usize) {
    let queue = &up.session.resources.dead_letter_queue_url;
    let look = async || {
        let asked = up.sqs.get_queue_attributes().queue_url(queue);
        let asked = asked.attribute_names(QueueAttributeName::ApproximateNumberOfMessages).send().await;
        let counts = asked.expect("the stack answers").attributes.unwrap_or_default();
        counts.values().filter_map(|count| count.parse::<usize>().ok()).sum::<usize>()
    };
    let settled = wait::within(PATIENCE, look, |count| *count >= letters).await;
    assert!(settled.is_ok(), "of {letters} messages {settled:?} are dead-lettered");
}

/// Copies the row of an import, and those of its attempts.
fn copy_rows(database: &Database, model: &str, numbers: &[usize]) {
    let Ok(Connection::Sqlite(mut connection)) = database.connect() else {
        unreachable!("the folder has a file of SQLite")
    };
    let numbers: Vec<_> = numbers.iter().map(|number| format!("({number})")).collect();
    let mut sql =
        format!("CREATE TEMP TABLE numbers (number) ; INSERT INTO numbers VALUES {};", numbers.join(","));
    let id = "'people-' || printf('%05d', number)";
    for (table, key, times) in [
        ("baton_jobs", "id", &["created_at", "updated_at", "started_at", "finished_at"][..]),
        ("baton_attempts", "job_id", &["started_at", "finished_at"][..]),
    ] {
        let earlier = |time: &&str| {
            format!(
                ", {time} = strftime('%Y-%m-%d %H:%M:%f', {time}, '-' || (number * {}) || ' seconds')",
                APART_MS / 1000
            )
        };
        let times: String = times.iter().map(earlier).collect();
        sql.push_str(&format!(
            "CREATE TEMP TABLE copies AS SELECT * FROM {table}, numbers WHERE {key} = '{model}';
             UPDATE copies SET {key} = {id}, execution_arn = replace(execution_arn, '{model}', {id}){times};
             ALTER TABLE copies DROP COLUMN number;
             INSERT INTO main.{table} SELECT * FROM copies;
             DROP TABLE copies;"
        ));
    }
    sql.push_str("DROP TABLE numbers;");
    connection.batch_execute(&sql).expect("the rows are copied");
}
