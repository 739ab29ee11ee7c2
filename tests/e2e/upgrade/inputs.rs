//! Executions that began before the upgrade: `tests/upgrade/inputs.json` has their inputs, as the version before made them of
//! four messages, and they run by the definition of that version. An embedded stack that is started again with newer programs
//! goes on with such executions; on AWS they keep their revision of the task as well.

use aws_sdk_sfn::types::ExecutionStatus;
use e2e::{Backend, TestStack, deployment, rows};
use serde_json::Value;
use statemachine::Report;
use worker::db::Database;

const INPUTS: &str = include_str!("../../upgrade/inputs.json");

/// The import machine's definition as the version before has it, with the substitutions of this stack.
async fn old_definition(stack: &TestStack) -> String {
    let machine = &stack.resources.import_state_machine_arn;
    let described = stack.sfn.describe_state_machine().state_machine_arn(machine).send().await.unwrap();
    let definition: Value = serde_json::from_str(&described.definition).unwrap();
    let task_definition = definition["States"]["RunImport"]["Arguments"]["TaskDefinition"].as_str().unwrap();
    let values = [
        ("ClusterArn", stack.resources.cluster_arn.as_str()),
        ("TaskDefinitionArn", task_definition),
        ("CapacityProvider", "FARGATE"),
        ("SubnetIds", "subnet-local"),
        ("SecurityGroupIds", "sg-local"),
        ("AssignPublicIp", "DISABLED"),
        ("HoldSeconds", "600"),
        ("RunTimeoutSeconds", "300"),
        ("HeartbeatSeconds", "60"),
    ];
    let old = deployment::previous_file("statemachine/import.asl.json");
    let old = values.iter().fold(old, |text, (name, value)| text.replace(&format!("${{{name}}}"), value));
    assert!(!old.contains("${"), "the definition of the version before has a substitution more: {old}");
    old
}

#[tokio::test(flavor = "multi_thread")]
async fn executions_that_began_under_the_version_before_are_finished_by_this_one() {
    let stack = TestStack::start(Backend::Sqlite).await;
    stack.create_people();
    let machine = &stack.resources.import_state_machine_arn;
    let definition = old_definition(&stack).await;
    let file =
        Database::parse(&format!("sqlite:{}/stack/states.sqlite", stack.data_dir().display())).unwrap();
    let quoted = definition.replace('\'', "''");
    rows::execute(
        &file,
        &format!("UPDATE revisions SET definition = '{quoted}' WHERE machine_arn = '{machine}'"),
    );

    // A file that is put starts nothing here by itself.
    stack.feed_function(false).await;
    // Each names its file, but for the one that names an import's row.
    stack.put("uploads/people.csv", "id;name\n2;b\nx;b\n").await;
    // To the letter what was uploaded then: the import's id has its ETag.
    stack.put("imports/people/some people.csv", "id,name\n1,a\n").await;
    stack.put("uploads/registered.csv", "id,name\n3,c\n").await;
    let register = "INSERT INTO \"baton_jobs\" (id, kind, input) VALUES ('17', 'import', '{\"source\":\"s3://baton/uploads/registered.csv\",\"table\":\"people\"}')";
    rows::execute(&stack.database, register);
    let inputs: Vec<Value> = serde_json::from_str(INPUTS).unwrap();
    assert_eq!(inputs.len(), 4);
    let mut outcomes = Vec::new();
    for input in &inputs {
        let id = input["import"]["import_id"].as_str().unwrap();
        let started =
            stack.sfn.start_execution().state_machine_arn(machine).name(id).input(input.to_string());
        let arn = started.send().await.unwrap().execution_arn;
        let ran = stack.sfn.describe_state_machine_for_execution().execution_arn(&arn).send().await.unwrap();
        assert_eq!(ran.definition, definition);
        let ended = stack.ended(&arn).await;
        assert_eq!(ended.status, ExecutionStatus::Succeeded, "{ended:?}");
        let row = stack.import(&id.parse().unwrap()).unwrap();
        let report: Report = serde_json::from_str(&ended.output.unwrap()).unwrap();
        assert_eq!(report.result, stack.result(&id.parse().unwrap()));
        outcomes.push((row.status.as_str(), row.rows_done, row.rejects));
    }
    // The last two are of the same rows, which are skipped the second time.
    assert_eq!(outcomes, [("SUCCESS", 1, 0), ("SUCCESS", 1, 1), ("SUCCESS", 1, 0), ("SUCCESS", 0, 1)]);
    assert_eq!(stack.count("people"), 3);
    stack.stop().await;
}
