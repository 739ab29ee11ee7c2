//! What is told of the attempts at an import, and for how long.

use e2e::{Backend, TestStack, rows};
use rustix::process::{Signal, kill_process};
use serde_json::{Value, json};
use worker::db::Database;

use crate::desk::baton_beside;
use crate::mid_load::{ROWS, under_way};

async fn shown(stack: &TestStack, id: &str) -> Value {
    baton_beside(stack, &["show", id, "--json"]).await.expect(0, &[]).json()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_attempt_is_shown_with_its_end_after_ecs_has_forgotten_its_container() {
    let stack = TestStack::start(Backend::Sqlite).await;
    let sent = under_way(&stack, "killed").await;
    let running = shown(&stack, "killed").await;
    assert_eq!(
        (&running["attempts"][0]["ended_as"], &running["import"]["status"]),
        (&Value::Null, &json!("RUNNING"))
    );
    assert!(running["import"]["progress"]["rows_per_second"].as_u64().is_some(), "{running}");
    stack.workers().into_iter().for_each(|worker| kill_process(worker, Signal::KILL).unwrap());
    stack.ended(&sent.execution_arn).await;

    let before = shown(&stack, "killed").await;
    let [killed, last] = before["attempts"].as_array().unwrap().as_slice() else { panic!("{before}") };
    assert_eq!((&killed["ended_as"], &killed["exit_code"]), (&json!("REPLACED"), &json!(137)), "{killed}");
    assert!(killed["rows"].as_u64().unwrap() > 0, "{killed}");
    assert_eq!((&last["ended_as"], &last["rows"]), (&json!("SUCCESS"), &json!(ROWS)));
    let tasks =
        before["execution"]["states"].as_array().unwrap().iter().find(|state| state["name"] == "RunImport");
    let tasks = &tasks.unwrap()["attempts"];
    for (attempt, task) in [(killed, &tasks[0]), (last, &tasks[1])] {
        assert_eq!(attempt["task_arn"], task["task_arn"]);
        assert!(attempt["task_arn"].as_str().unwrap().starts_with("arn:aws:ecs:"), "{attempt}");
    }

    let remembered = stack.data_dir().join("stack/ecs.sqlite3");
    assert!(remembered.is_file());
    let ecs = Database::parse(&format!("sqlite:{}", remembered.display())).unwrap();
    rows::execute(&ecs, "DELETE FROM tasks");
    let after = shown(&stack, "killed").await;
    assert_eq!(after["attempts"][0], *killed);
    assert_eq!(
        (&after["attempts"][1]["ended_as"], &after["attempts"][1]["exit_code"]),
        (&json!("SUCCESS"), &Value::Null)
    );
    let text = baton_beside(&stack, &["show", "killed"]).await;
    text.expect(
        0,
        &["REPLACED", "exit code 137", "earlier   RunImport 1: States.TaskFailed\n", "attempts  2"],
    );
    stack.audit().await;
}
