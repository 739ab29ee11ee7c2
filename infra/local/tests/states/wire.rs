//! The operations as a client sees them.

use serde_json::{Value, json};

use crate::core::{import_input, message, report};
use crate::stack::Stack;

fn types(events: &[Value]) -> Vec<&str> {
    events.iter().map(|event| event["type"].as_str().unwrap()).collect()
}

/// An import whose container runs: its ARN and its token.
pub(crate) async fn at_work(stack: &Stack, name: &str) -> (String, String) {
    let before = stack.world.count("wait");
    let arn = stack.start(&stack.import, name, &import_input()).await;
    (arn, stack.token(before + 1).await)
}

async fn succeed(stack: &mut Stack, arn: &str, token: &str) {
    stack.call("SendTaskSuccess", json!({"taskToken": token, "output": report().to_string()})).await;
    stack.event(arn, "SUCCEEDED").await;
}

#[tokio::test]
async fn an_import_runs_from_start_to_end() {
    let mut stack = Stack::new();
    let (arn, token) = at_work(&stack, "e-1").await;
    assert_eq!(arn, "arn:aws:states:eu-west-1:123456789012:execution:import:e-1");
    let request = stack.world.call("RunTask", 1).await;
    assert_eq!(request["startedBy"], "AWS Step Functions");
    assert_eq!(
        request["capacityProviderStrategy"],
        json!([{"capacityProvider": "FARGATE_SPOT", "weight": 1}])
    );
    assert_eq!(stack.call("SendTaskHeartbeat", json!({"taskToken": token})).await, json!({}));
    let running = stack.describe(&arn).await;
    assert_eq!(running["status"], "RUNNING");
    assert_eq!(running["redriveStatusReason"], "Execution is RUNNING and cannot be redriven");
    assert!(running.get("stopDate").is_none() && running.get("output").is_none());
    succeed(&mut stack, &arn, &token).await;

    let closed = stack.describe(&arn).await;
    assert_eq!(closed["status"], "SUCCEEDED");
    assert_eq!(closed["stateMachineArn"], stack.import);
    assert_eq!(closed["name"], "e-1");
    assert_eq!(closed["input"], import_input().to_string());
    assert_eq!(closed["output"], report().to_string());
    assert_eq!(closed["outputDetails"], json!({"included": true}));
    assert_eq!(closed["redriveCount"], 0);
    assert_eq!(closed["redriveStatus"], "NOT_REDRIVABLE");
    assert!(closed["startDate"].as_f64().unwrap() > 1.7e9);
    assert!(closed["stopDate"].as_f64() >= closed["startDate"].as_f64());
    assert!(closed.get("error").is_none());
    assert_eq!(stack.world.count("ChangeMessageVisibility"), 1);
    assert_eq!(stack.world.count("DeleteMessage"), 1);
    assert_eq!(stack.world.count("StopTask"), 0);
}

#[tokio::test]
async fn a_history_has_the_shape_of_the_model() {
    let mut stack = Stack::new();
    let (arn, token) = at_work(&stack, "e-1").await;
    succeed(&mut stack, &arn, &token).await;
    let events = stack.history(&arn).await;
    assert_eq!(events.len(), 22);
    let input = import_input().to_string();
    let whole = json!({"truncated": false});
    assert_eq!(events[0]["type"], "ExecutionStarted");
    assert_eq!(
        events[0]["executionStartedEventDetails"],
        json!({"input": input, "inputDetails": whole, "roleArn": "arn:aws:iam::123456789012:role/import"})
    );
    assert_eq!(
        events[1]["stateEnteredEventDetails"],
        json!({"name": "CheckMessage", "input": input, "inputDetails": whole})
    );
    assert_eq!(events[2]["stateExitedEventDetails"]["assignedVariables"]["message"], message().to_string());
    let submitted = &events[11]["taskSubmittedEventDetails"];
    assert_eq!((&submitted["resourceType"], &submitted["resource"]), (&json!("ecs"), &json!("runTask.sync")));
    assert_eq!(
        serde_json::from_str::<Value>(submitted["output"].as_str().unwrap()).unwrap(),
        json!({"Tasks": [{"TaskArn": "task-1", "ClusterArn": "cluster-1", "CreatedAt": 2250}], "Failures": []})
    );
    assert_eq!(
        events[21]["executionSucceededEventDetails"],
        json!({"output": report().to_string(), "outputDetails": whole})
    );
    for (n, event) in events.iter().enumerate() {
        assert_eq!(event["id"], n + 1);
        assert!(event["timestamp"].is_f64());
    }

    let request = json!({"executionArn": arn, "includeExecutionData": false});
    let bare = stack.call("GetExecutionHistory", request).await.to_string();
    assert!(!bare.contains(&token) && !bare.contains("s3://b/k.csv"));
    assert!(bare.contains("runTask.sync"));
}

#[tokio::test]
async fn a_history_comes_in_pages_forwards_and_backwards() {
    let stack = Stack::new();
    let machine = stack.machine("one", &json!({"Type": "Pass", "Next": "Done"}));
    let arn = stack.start(&machine, "e", &json!({})).await;
    for (reverse, expected) in [(false, vec![1, 2, 3, 4, 5, 6]), (true, vec![6, 5, 4, 3, 2, 1])] {
        let mut request = json!({"executionArn": arn, "maxResults": 2, "reverseOrder": reverse});
        let mut ids = Vec::new();
        loop {
            let page = stack.call("GetExecutionHistory", request.clone()).await;
            ids.extend(page["events"].as_array().unwrap().iter().map(|event| event["id"].as_i64().unwrap()));
            match page.get("nextToken") {
                Some(token) => request["nextToken"] = token.clone(),
                None => break,
            }
        }
        assert_eq!(ids, expected);
    }
    let request = json!({"executionArn": arn, "nextToken": "x"});
    assert_eq!(stack.refused_as("GetExecutionHistory", request).await, "InvalidToken");
    let request = json!({"executionArn": format!("{arn}x")});
    assert_eq!(stack.refused_as("GetExecutionHistory", request).await, "ExecutionDoesNotExist");
}

#[tokio::test]
async fn a_name_is_given_once() {
    let mut stack = Stack::new();
    let start =
        |input: &Value| json!({"stateMachineArn": stack.import, "name": "e-1", "input": input.to_string()});
    let (same, other) = (start(&import_input()), start(&json!({"import": 1})));
    let first = stack.call("StartExecution", same.clone()).await;
    // The same again while it runs is the same execution; another input is none.
    assert_eq!(stack.call("StartExecution", same.clone()).await, first);
    assert_eq!(stack.refused_as("StartExecution", other).await, "ExecutionAlreadyExists");
    let token = stack.token(1).await;
    assert_eq!(stack.world.count("RunTask"), 1);
    let arn = first["executionArn"].as_str().unwrap().to_owned();
    succeed(&mut stack, &arn, &token).await;
    let (code, text) = stack.refusal("StartExecution", same).await;
    assert_eq!(
        (code.as_str(), text),
        ("ExecutionAlreadyExists", format!("Execution Already Exists: '{arn}'"))
    );
}

#[tokio::test]
async fn many_starts_at_once_under_one_name_are_one_execution() {
    let stack = Stack::new();
    let request =
        json!({"stateMachineArn": stack.import, "name": "e-1", "input": import_input().to_string()});
    let starts: Vec<_> = (0..20)
        .map(|_| {
            let (states, request) = (stack.states.clone(), request.clone());
            tokio::spawn(async move { states.call("StartExecution", request).await.unwrap() })
        })
        .collect();
    let mut answers = Vec::new();
    for start in starts {
        answers.push(start.await.unwrap());
    }
    assert!(answers.iter().all(|answer| *answer == answers[0]));
    stack.token(1).await;
    assert_eq!(stack.world.count("RunTask"), 1);
}

#[tokio::test]
async fn what_cannot_be_started_is_refused_by_name() {
    let stack = Stack::new();
    let machine = stack.import.as_str();
    let refused = async |body| stack.refused_as("StartExecution", body).await;
    for name in ["", "a b", "a/b", "a:b", "ü\u{7f}", &"x".repeat(81)] {
        assert_eq!(
            refused(json!({"stateMachineArn": machine, "name": name})).await,
            "InvalidName",
            "{name:?}"
        );
    }
    assert_eq!(refused(json!({"stateMachineArn": machine, "input": "{"})).await, "InvalidExecutionInput");
    let deep = "[".repeat(5000) + &"]".repeat(5000);
    assert_eq!(refused(json!({"stateMachineArn": machine, "input": deep})).await, "InvalidExecutionInput");
    let large = json!("x".repeat(262_143)).to_string();
    assert_eq!(refused(json!({"stateMachineArn": machine, "input": large})).await, "ValidationException");
    assert_eq!(refused(json!({"stateMachineArn": "import"})).await, "InvalidArn");
    assert_eq!(refused(json!({"stateMachineArn": format!("{machine}:PROD")})).await, "InvalidArn");
    assert_eq!(refused(json!({"stateMachineArn": format!("{machine}2")})).await, "StateMachineDoesNotExist");
    for header in ["é", &"x".repeat(257)] {
        let request = json!({"stateMachineArn": machine, "traceHeader": header});
        assert_eq!(refused(request).await, "ValidationException");
    }
    let answer = stack.call("StartExecution", json!({"stateMachineArn": machine})).await;
    let name = answer["executionArn"].as_str().unwrap().rsplit(':').next().unwrap().to_owned();
    assert_eq!(name.len(), 36, "a name that was not given is a UUID");
}

#[tokio::test]
async fn operations_that_are_not_implemented_are_refused_by_name() {
    let stack = Stack::new();
    for operation in ["CreateStateMachine", "DeleteStateMachine", "GetActivityTask", "StartSyncExecution"] {
        let (code, text) = stack.refusal(operation, json!({})).await;
        assert_eq!(code, "UnknownOperationException");
        assert!(text.contains(&format!("states:{operation}")), "{text}");
    }
}

#[tokio::test]
async fn a_token_is_refused_for_what_it_is() {
    let mut stack = Stack::new();
    let (arn, token) = at_work(&stack, "e-1").await;
    let heartbeat = |token: &str| json!({"taskToken": token});
    for malformed in ["", "token", &token[1..], &"x".repeat(5000)] {
        assert_eq!(stack.refused_as("SendTaskHeartbeat", heartbeat(malformed)).await, "InvalidToken");
    }
    let other = Stack::new();
    at_work(&other, "e-1").await;
    // Well formed, and given out by another stack.
    assert_eq!(other.refused_as("SendTaskHeartbeat", heartbeat(&token)).await, "TaskDoesNotExist");

    let success = |output: String| json!({"taskToken": token, "output": output});
    assert_eq!(stack.refused_as("SendTaskSuccess", success("{".to_owned())).await, "InvalidOutput");
    let large = json!("x".repeat(262_143)).to_string();
    assert_eq!(stack.refused_as("SendTaskSuccess", success(large)).await, "InvalidOutput");
    let failure = json!({"taskToken": token, "error": "x".repeat(257)});
    assert_eq!(stack.refused_as("SendTaskFailure", failure).await, "ValidationException");
    let failure = json!({"taskToken": token, "cause": "x".repeat(32_769)});
    assert_eq!(stack.refused_as("SendTaskFailure", failure).await, "ValidationException");

    succeed(&mut stack, &arn, &token).await;
    for (operation, body) in [
        ("SendTaskHeartbeat", heartbeat(&token)),
        ("SendTaskSuccess", success("{}".to_owned())),
        ("SendTaskFailure", json!({"taskToken": token})),
    ] {
        let (code, text) = stack.refusal(operation, body).await;
        assert_eq!(code, "TaskTimedOut", "{operation}");
        assert!(!text.contains(&token));
    }
}

#[tokio::test]
async fn a_stopped_execution_stops_its_task_for_the_reason_that_aws_gives() {
    let mut stack = Stack::new();
    let (arn, token) = at_work(&stack, "e-1").await;
    let request = json!({"executionArn": arn, "error": "Operator", "cause": "not today"});
    let stopped = stack.call("StopExecution", request.clone()).await;
    let reason = format!(
        "The Task state in AWS Step Functions execution [{arn}] which was managing this resource was aborted"
    );
    assert_eq!(
        stack.world.call("StopTask", 1).await,
        json!({"cluster": "cluster-1", "task": "task-1", "reason": reason})
    );
    let event = stack.event(&arn, "ABORTED").await;
    assert_eq!(event["detail"]["error"], "Operator");
    let described = stack.describe(&arn).await;
    assert_eq!((&described["error"], &described["cause"]), (&json!("Operator"), &json!("not today")));
    assert_eq!(described["redriveStatus"], "REDRIVABLE");
    assert_eq!(stack.refused_as("SendTaskHeartbeat", json!({"taskToken": token})).await, "TaskTimedOut");
    // To stop it again is no mistake, and changes nothing.
    assert_eq!(stack.call("StopExecution", request).await, stopped);
    assert_eq!(types(&stack.history(&arn).await).last(), Some(&"ExecutionAborted"));
}

#[tokio::test]
async fn a_redrive_goes_on_at_the_state_that_failed_and_is_idempotent_by_its_token() {
    let mut stack = Stack::new();
    let (arn, token) = at_work(&stack, "e-1").await;
    let request = json!({"executionArn": arn, "clientToken": "c-1"});
    let (code, text) = stack.refusal("RedriveExecution", request.clone()).await;
    assert_eq!(
        (code.as_str(), text.as_str()),
        ("ExecutionNotRedrivable", "Execution is RUNNING and cannot be redriven")
    );
    let failure = json!({"taskToken": token, "error": "Import.HeaderMismatch", "cause": "no column"});
    stack.call("SendTaskFailure", failure).await;
    let event = stack.event(&arn, "FAILED").await;
    assert_eq!(event["detail"]["redriveStatus"], "REDRIVABLE");
    let failed = stack.describe(&arn).await;
    assert_eq!(failed["error"], "Import.HeaderMismatch");

    let answer = stack.call("RedriveExecution", request.clone()).await;
    assert_eq!(stack.call("RedriveExecution", request).await, answer);
    stack.event(&arn, "RUNNING").await;
    let token = stack.token(2).await;
    let running = stack.describe(&arn).await;
    assert_eq!((&running["redriveCount"], &running["redriveDate"]), (&json!(1), &answer["redriveDate"]));
    assert!(running.get("error").is_none() && running.get("stopDate").is_none());
    succeed(&mut stack, &arn, &token).await;
    assert_eq!(
        types(&stack.history(&arn).await).iter().filter(|name| **name == "ExecutionRedriven").count(),
        1
    );
    let bad = json!({"executionArn": arn, "clientToken": "a b"});
    assert_eq!(stack.refused_as("RedriveExecution", bad).await, "ValidationException");
}

#[tokio::test]
async fn executions_are_listed_newest_first_in_pages_and_by_filter() {
    let stack = Stack::new();
    let fail = stack.machine("fail", &json!({"Type": "Fail", "Error": "E"}));
    let pass = stack.machine("pass", &json!({"Type": "Pass", "Next": "Done"}));
    for n in 0..5 {
        stack.start(&fail, &format!("e-{n}"), &json!({})).await;
        stack.start(&pass, &format!("e-{n}"), &json!({})).await;
    }
    let arn = format!("{}:e-1", fail.replace("stateMachine", "execution"));
    stack.call("RedriveExecution", json!({"executionArn": arn})).await;
    let list = async |mut request: Value| {
        let mut names = Vec::new();
        loop {
            let page = stack.call("ListExecutions", request.clone()).await;
            for item in page["executions"].as_array().unwrap() {
                assert_eq!(item["stateMachineArn"], request["stateMachineArn"]);
                names.push(item["name"].as_str().unwrap().to_owned());
            }
            match page.get("nextToken") {
                Some(token) => request["nextToken"] = token.clone(),
                None => return names,
            }
        }
    };
    let all = ["e-4", "e-3", "e-2", "e-1", "e-0"];
    assert_eq!(list(json!({"stateMachineArn": fail})).await, all);
    assert_eq!(list(json!({"stateMachineArn": fail, "maxResults": 2})).await, all);
    assert_eq!(list(json!({"stateMachineArn": fail, "statusFilter": "FAILED", "maxResults": 1})).await, all);
    assert_eq!(list(json!({"stateMachineArn": fail, "statusFilter": "SUCCEEDED"})).await, [""; 0]);
    assert_eq!(list(json!({"stateMachineArn": pass, "statusFilter": "SUCCEEDED"})).await, all);
    assert_eq!(list(json!({"stateMachineArn": fail, "redriveFilter": "REDRIVEN"})).await, ["e-1"]);
    assert_eq!(
        list(json!({"stateMachineArn": fail, "redriveFilter": "NOT_REDRIVEN"})).await,
        ["e-4", "e-3", "e-2", "e-0"]
    );
    let refused = async |body| stack.refused_as("ListExecutions", body).await;
    assert_eq!(
        refused(json!({"stateMachineArn": fail, "statusFilter": "GONE"})).await,
        "ValidationException"
    );
    assert_eq!(refused(json!({"stateMachineArn": fail, "maxResults": 1001})).await, "ValidationException");
    assert_eq!(refused(json!({"stateMachineArn": fail, "nextToken": "x"})).await, "InvalidToken");
    assert_eq!(refused(json!({"mapRunArn": "x"})).await, "ValidationException");
}

#[tokio::test]
async fn machines_are_described_and_listed() {
    let stack = Stack::new();
    let described = stack.call("DescribeStateMachine", json!({"stateMachineArn": stack.import})).await;
    assert_eq!(described["definition"], crate::core::import_definition());
    assert_eq!((&described["status"], &described["type"]), (&json!("ACTIVE"), &json!("STANDARD")));
    let mut page = stack.call("ListStateMachines", json!({"maxResults": 1})).await;
    assert_eq!(page["stateMachines"][0]["name"], "dead-letter");
    page = stack.call("ListStateMachines", json!({"nextToken": page["nextToken"]})).await;
    assert_eq!(page["stateMachines"][0]["name"], "import");
    assert!(page.get("nextToken").is_none());
    let validated = stack.call("ValidateStateMachineDefinition", json!({"definition": "{}"})).await;
    assert_eq!(validated["result"], "FAIL");
    assert_eq!(validated["diagnostics"][0]["location"], "state machine");
    let request = json!({"definition": described["definition"]});
    let validated = stack.call("ValidateStateMachineDefinition", request).await;
    assert_eq!(validated, json!({"result": "OK", "diagnostics": [], "truncated": false}));
}

#[tokio::test]
async fn the_event_of_a_change_of_status_is_that_of_event_bridge() {
    let mut stack = Stack::new();
    let machine = stack.machine("pass", &json!({"Type": "Pass", "Output": 7, "Next": "Done"}));
    let arn = stack.start(&machine, "e-1", &json!({"a": 1})).await;
    let event = stack.event(&arn, "RUNNING").await;
    assert_eq!((&event["detail"]["stopDate"], &event["detail"]["output"]), (&Value::Null, &Value::Null));
    let event = stack.event(&arn, "SUCCEEDED").await;
    assert_eq!(event["detail-type"], "Step Functions Execution Status Change");
    assert_eq!((&event["source"], &event["account"]), (&json!("aws.states"), &json!("123456789012")));
    assert_eq!(event["resources"], json!([arn]));
    let detail = &event["detail"];
    assert_eq!((&detail["input"], &detail["output"]), (&json!("{\"a\":1}"), &json!("7")));
    assert_eq!(detail["stateMachineArn"], machine);
    assert!(detail["startDate"].is_i64() && detail["stopDate"].is_i64());
    let arn = stack.start(&machine, "e-2", &json!("x".repeat(255_000))).await;
    let event = stack.event(&arn, "SUCCEEDED").await;
    assert_eq!(event["detail"]["inputDetails"], json!({"included": false}));
    assert_eq!(event["detail"]["input"], Value::Null);
}
