//! Files that are put under `imports/`, in a bucket without versions.

use aws_sdk_sfn::types::ExecutionStatus;
use e2e::{Backend, TestStack, wait};
use statemachine::{ExecutionName, Outcome, Report};

use crate::desk::baton_beside;

/// Puts a file, and waits until so many executions have succeeded.
async fn uploaded(stack: &TestStack, content: &str, executions: usize) {
    stack.put("imports/people/people.csv", content).await;
    let machine = &stack.resources.import_state_machine_arn;
    let look = async || {
        let listed = stack.sfn.list_executions().state_machine_arn(machine);
        listed.status_filter(ExecutionStatus::Succeeded).send().await.unwrap().executions.len()
    };
    wait::until("the import", look, |count| *count == executions).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_content_that_its_key_once_had_is_the_same_import_where_the_bucket_has_no_versions() {
    let stack = TestStack::start(Backend::Sqlite).await;
    stack.create_people();
    let (first, second) = ("id,name\n1,a\n", "id,name\n2,b\n");
    uploaded(&stack, first, 1).await;
    uploaded(&stack, second, 2).await;
    uploaded(&stack, first, 3).await;
    let machine = &stack.resources.import_state_machine_arn;
    let listed = stack.sfn.list_executions().state_machine_arn(machine).send().await.unwrap().executions;
    let mut reports = Vec::new();
    for execution in listed {
        let output = stack.ended(&execution.execution_arn).await.output.unwrap();
        reports.push(serde_json::from_str::<Report>(&output).unwrap());
    }
    // The latest first.
    let outcomes: Vec<_> = reports.iter().map(|report| report.outcome).collect();
    assert_eq!(outcomes, [Outcome::Duplicate, Outcome::Done, Outcome::Done]);
    assert_eq!(reports[0].id, reports[2].id);
    assert_eq!(stack.count("people"), 2);
    stack.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_that_another_one_has_replaced_is_not_imported_with_the_content_of_that_one() {
    let stack = TestStack::start(Backend::Sqlite).await;
    stack.create_people();
    stack.put("imports/people/people.csv", "id,name\n1,a\ntwo,b\n").await;
    let machine = &stack.resources.import_state_machine_arn;
    let failed = async || {
        let listed = stack.sfn.list_executions().state_machine_arn(machine);
        listed.status_filter(ExecutionStatus::Failed).send().await.unwrap().executions
    };
    let failed = wait::until("the import to fail", failed, |failed| !failed.is_empty()).await;
    let first = failed[0].execution_arn.clone();
    let id = ExecutionName::import_id_in(&failed[0].name).unwrap().to_owned();
    let again = baton_beside(&stack, &["redrive", &id]).await;
    again.expect(
        1,
        &[
            "FAILED again with Import.TooManyRejects\n",
            "a corrected file that is uploaded is an import of its own",
        ],
    );

    uploaded(&stack, "id,name\n1,a\n2,b\n", 1).await;
    baton_beside(&stack, &["redrive", &id]).await.expect(
        1,
        &[
            "FAILED again with Import.SourceChanged\n",
            "people.csv is not the file any more whose upload started this import",
        ],
    );
    assert_eq!(stack.ended(&first).await.status, ExecutionStatus::Failed);
    assert_eq!(stack.count("people"), 2);
    stack.dead_letter().await;
    stack.audit().await;
}
