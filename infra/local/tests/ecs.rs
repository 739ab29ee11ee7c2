//! ECS with real child processes.
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::fs;
use std::sync::Arc;
use std::time::Duration;

#[path = "ecs/cluster.rs"]
mod cluster;

use cluster::{TASK_ARN, definition, logged, open, register, run, until};
use local_stack::ecs::Ecs;
use serde_json::{Value, json};
use tempfile::TempDir;

fn with_script(script: &str) -> (TempDir, Arc<Ecs>) {
    let dir = tempfile::tempdir().unwrap();
    let ecs = open(dir.path());
    register(&ecs, dir.path(), script);
    (dir, ecs)
}

async fn stopped(ecs: &Ecs, arn: &str) -> Value {
    tokio::time::timeout(Duration::from_secs(20), ecs.stopped(arn)).await.unwrap().unwrap()
}

async fn describe(ecs: &Arc<Ecs>, arn: &str) -> Value {
    let answer = ecs.call("DescribeTasks", json!({"cluster": "default", "tasks": [arn]})).await.unwrap();
    answer["tasks"][0].clone()
}

async fn refusal(ecs: &Arc<Ecs>, operation: &str, body: Value) -> (String, String) {
    let error = ecs.call(operation, body).await.unwrap_err();
    (error.code, error.message)
}

#[tokio::test]
async fn a_task_ends_with_the_exit_code_of_its_container() {
    for code in [0, 3] {
        let (_dir, ecs) = with_script(&format!("exit {code}"));
        let task = stopped(&ecs, &run(&ecs).await).await;
        assert_eq!(task["lastStatus"], "STOPPED");
        assert_eq!(task["desiredStatus"], "STOPPED");
        assert_eq!(task["stopCode"], "EssentialContainerExited");
        assert_eq!(task["stoppedReason"], "Essential container in task exited");
        assert_eq!(task["containers"][0]["name"], "worker");
        assert_eq!(task["containers"][0]["lastStatus"], "STOPPED");
        assert_eq!(task["containers"][0]["exitCode"], code);
        let times =
            ["createdAt", "startedAt", "stoppingAt", "stoppedAt"].map(|name| task[name].as_f64().unwrap());
        assert!(times.is_sorted() && times[0] > 1.7e9, "{times:?}");
    }
}

#[tokio::test]
async fn a_container_sees_the_variables_that_it_is_given_and_none_of_the_stack() {
    let (dir, ecs) = with_script("env | sort; echo to stderr >&2");
    let environment =
        json!([{"name": "TASK_TOKEN", "value": "t"}, {"name": "ECS_TASK_ARN", "value": "a lie"}]);
    let request = json!({"cluster": ecs.cluster_arn(), "taskDefinition": "worker:1", "launchType": "FARGATE",
        "overrides": {"containerOverrides": [{"name": "worker", "environment": environment}]}});
    let answer = ecs.call("RunTask", request).await.unwrap();
    assert_eq!(answer["failures"], json!([]));
    let arn = answer["tasks"][0]["taskArn"].as_str().unwrap();
    let task = stopped(&ecs, arn).await;
    assert_eq!(task["overrides"]["containerOverrides"][0]["environment"], environment);

    let log =
        fs::read_to_string(dir.path().join(format!("{}.log", arn.strip_prefix(TASK_ARN).unwrap()))).unwrap();
    // PWD and _ are the shell's own, as are OLDPWD and SHLVL on some systems.
    let lines: Vec<&str> = log
        .lines()
        .filter(|line| !["PWD=", "_=", "OLDPWD=", "SHLVL="].iter().any(|own| line.starts_with(own)))
        .collect();
    let own_arn = format!("ECS_TASK_ARN={arn}");
    let agent = format!("ECS_AGENT_PID={}", std::process::id());
    assert_eq!(
        lines,
        [&agent, &own_arn, "GIVEN=by the definition", "PATH=/usr/bin:/bin", "TASK_TOKEN=t", "to stderr"]
    );
}

#[tokio::test]
async fn a_container_killed_by_a_signal_says_which() {
    for (signal, code) in [("KILL", 137), ("SEGV", 139)] {
        let (_dir, ecs) = with_script(&format!("kill -{signal} $$"));
        let task = stopped(&ecs, &run(&ecs).await).await;
        assert_eq!(task["containers"][0]["exitCode"], code);
        let reason = task["containers"][0]["reason"].as_str().unwrap();
        assert!(reason.starts_with(&format!("Killed by signal {}", code - 128)), "{reason}");
        assert_eq!(task["stopCode"], "EssentialContainerExited");
    }
}

#[tokio::test]
async fn a_command_that_cannot_be_started_has_no_exit_code() {
    let dir = tempfile::tempdir().unwrap();
    let ecs = open(dir.path());
    ecs.register(definition(dir.path(), dir.path().join("missing")));
    let task = stopped(&ecs, &run(&ecs).await).await;
    assert_eq!(task["stopCode"], "TaskFailedToStart");
    let reason = task["stoppedReason"].as_str().unwrap();
    assert!(
        reason.starts_with("CannotStartContainerError: failed to start ") && reason.contains("missing"),
        "{reason}"
    );
    assert_eq!(task["containers"][0].get("exitCode"), None);
    assert_eq!(task.get("startedAt"), None);
}

#[tokio::test]
async fn a_task_that_is_stopped_may_end_in_its_own_way() {
    let (dir, ecs) =
        with_script("trap 'echo leaving; exit 7' TERM\necho ready\nwhile :; do sleep 0.05; done");
    let arn = run(&ecs).await;
    logged(dir.path(), &arn, "ready").await;
    let answer = ecs.call("StopTask", json!({"task": arn, "reason": "enough"})).await.unwrap();
    assert_eq!(answer["task"]["desiredStatus"], "STOPPED");
    let task = stopped(&ecs, &arn).await;
    assert_eq!(task["stopCode"], "UserInitiated");
    assert_eq!(task["stoppedReason"], "enough");
    assert_eq!(task["containers"][0]["exitCode"], 7);
    logged(dir.path(), &arn, "leaving").await;

    // A second stop changes nothing.
    let answer = ecs.call("StopTask", json!({"task": arn, "reason": "again"})).await.unwrap();
    assert_eq!(answer["task"]["stoppedReason"], "enough");
}

#[tokio::test]
#[cfg(target_os = "linux")]
async fn a_task_that_will_not_stop_is_killed_with_all_its_processes() {
    let (dir, ecs) =
        with_script("trap '' TERM\n(echo child; exec sleep 1000) &\necho ready\nwhile :; do sleep 1; done");
    let arn = run(&ecs).await;
    logged(dir.path(), &arn, "ready").await;
    logged(dir.path(), &arn, "child").await;
    assert!(has_processes(&arn));
    ecs.call("StopTask", json!({"cluster": "default", "task": arn})).await.unwrap();
    let task = stopped(&ecs, &arn).await;
    assert_eq!(task["containers"][0]["exitCode"], 137);
    assert_eq!(task["containers"][0].get("reason"), None, "it was asked for");
    assert_eq!(task["stoppedReason"], "Task stopped by user");
    gone(&arn).await;
}

#[tokio::test]
#[cfg(target_os = "linux")]
async fn what_a_container_leaves_behind_ends_with_it() {
    let (_dir, ecs) = with_script("sleep 1000 &\nexit 0");
    let arn = run(&ecs).await;
    assert_eq!(stopped(&ecs, &arn).await["containers"][0]["exitCode"], 0);
    gone(&arn).await;
}

#[tokio::test]
async fn a_shutdown_stops_every_task_and_starts_no_other() {
    let (dir, ecs) = with_script("trap 'exit 0' TERM\necho ready\nwhile :; do sleep 0.05; done");
    let arns = [run(&ecs).await, run(&ecs).await];
    for arn in &arns {
        logged(dir.path(), arn, "ready").await;
    }
    tokio::time::timeout(Duration::from_secs(20), ecs.shutdown()).await.unwrap();
    for arn in &arns {
        let task = describe(&ecs, arn).await;
        assert_eq!(task["lastStatus"], "STOPPED");
        assert_eq!(task["stoppedReason"], "The embedded stack was shut down");
        assert_eq!(task["containers"][0]["exitCode"], 0);
    }
    assert_eq!(refusal(&ecs, "RunTask", json!({"taskDefinition": "worker"})).await.0, "ClientException");
}

#[tokio::test]
async fn tasks_are_listed_by_status_family_and_starter() {
    let (_dir, ecs) = with_script("exit 0");
    for starter in ["a", "a", "b"] {
        let request = json!({"taskDefinition": "worker", "startedBy": starter});
        let task = ecs.call("RunTask", request).await.unwrap();
        stopped(&ecs, task["tasks"][0]["taskArn"].as_str().unwrap()).await;
    }
    let list = async |body: Value| ecs.call("ListTasks", body).await.unwrap();
    let count = |answer: &Value| answer["taskArns"].as_array().unwrap().len();
    assert_eq!(count(&list(json!({})).await), 0, "running ones, where nothing is said");
    assert_eq!(count(&list(json!({"desiredStatus": "STOPPED", "startedBy": "a"})).await), 2);
    assert_eq!(count(&list(json!({"desiredStatus": "STOPPED", "family": "other"})).await), 0);
    let first = list(json!({"desiredStatus": "STOPPED", "maxResults": 2})).await;
    assert_eq!(count(&first), 2);
    let second =
        list(json!({"desiredStatus": "STOPPED", "maxResults": 2, "nextToken": first["nextToken"]})).await;
    assert_eq!((count(&second), second.get("nextToken")), (1, None));
}

#[tokio::test]
async fn a_repeated_request_is_known_by_its_token() {
    let (_dir, ecs) = with_script("exit 0");
    let request = json!({"taskDefinition": "worker", "clientToken": "once"});
    let first = ecs.call("RunTask", request.clone()).await.unwrap();
    let second = ecs.call("RunTask", request).await.unwrap();
    assert_eq!(first["tasks"][0]["taskArn"], second["tasks"][0]["taskArn"]);
    let other = json!({"taskDefinition": "worker", "clientToken": "once", "group": "other"});
    assert_eq!(refusal(&ecs, "RunTask", other).await.0, "ConflictException");
}

#[tokio::test]
async fn what_cannot_be_done_is_refused_as_ecs_does() {
    let (_dir, ecs) = with_script("exit 0");
    let overrides = |container: Value| json!({"taskDefinition": "worker", "overrides": {"containerOverrides": [container]}});

    let (code, message) = refusal(&ecs, "RunTask", overrides(json!({"name": "sidecar"}))).await;
    assert_eq!(code, "InvalidParameterException");
    assert_eq!(message, "Override for container named sidecar is not a container in the TaskDefinition.");

    let value = "x".repeat(8192);
    let long = overrides(json!({"name": "worker", "environment": [{"name": "A", "value": value}]}));
    let expected = (
        "InvalidParameterException".to_owned(),
        "Container Overrides length must be at most 8192".to_owned(),
    );
    assert_eq!(refusal(&ecs, "RunTask", long).await, expected);

    let (_, message) =
        refusal(&ecs, "RunTask", overrides(json!({"name": "worker", "command": ["ls"]}))).await;
    assert!(message.contains("unknown field `command`"), "{message}");
    let (_, message) = refusal(&ecs, "RunTask", json!({"taskDefinition": "worker", "count": 2})).await;
    assert!(message.contains("count must be 1"), "{message}");
    let unset = overrides(json!({"name": "worker", "environment": [{"name": "A=B", "value": "c"}]}));
    assert_eq!(refusal(&ecs, "RunTask", unset).await.0, "InvalidParameterException");
    assert_eq!(
        refusal(&ecs, "RunTask", json!({"taskDefinition": "other"})).await.1,
        "TaskDefinition not found."
    );
    let elsewhere = json!({"cluster": "other", "taskDefinition": "worker"});
    assert_eq!(refusal(&ecs, "RunTask", elsewhere).await.0, "ClusterNotFoundException");
    assert_eq!(
        refusal(&ecs, "StopTask", json!({"task": "none"})).await.1,
        "The referenced task was not found."
    );
    assert_eq!(refusal(&ecs, "CreateService", json!({})).await.0, "UnknownOperationException");
    assert_eq!(ecs.stopped("none").await.unwrap_err().code, "InvalidParameterException");
}

#[tokio::test]
async fn definition_cluster_and_missing_tasks_are_described() {
    let (_dir, ecs) = with_script("exit 0");
    let described = ecs.call("DescribeTaskDefinition", json!({"taskDefinition": "worker"})).await.unwrap();
    assert_eq!(described["taskDefinition"]["containerDefinitions"][0]["name"], "worker");
    let log = &described["taskDefinition"]["containerDefinitions"][0]["logConfiguration"];
    let options = json!({"awslogs-group": "/ecs/worker", "awslogs-region": "ap-northeast-1", "awslogs-stream-prefix": "logs"});
    assert_eq!(log, &json!({"logDriver": "awslogs", "options": options}));
    let clusters = ecs.call("ListClusters", json!({})).await.unwrap();
    let described = ecs.call("DescribeClusters", json!({"clusters": clusters["clusterArns"]})).await.unwrap();
    assert_eq!(described["clusters"][0]["status"], "ACTIVE");
    let described = ecs.call("DescribeTasks", json!({"tasks": ["none"]})).await.unwrap();
    assert_eq!(
        described,
        json!({"tasks": [], "failures": [{"arn": format!("{TASK_ARN}none"), "reason": "MISSING"}]})
    );
}

#[tokio::test]
#[cfg(target_os = "linux")]
async fn a_task_that_outlived_the_stack_is_found_killed_and_recorded() {
    let dir = tempfile::tempdir().unwrap();
    let mut stack = tokio::process::Command::new(env!("CARGO_BIN_EXE_local-stack-child"))
        .arg("tasks")
        .arg(dir.path())
        .stdout(std::process::Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    until("the stack to have a task", || dir.path().join("arn").exists()).await;
    let arn = fs::read_to_string(dir.path().join("arn")).unwrap();
    let copy = tempfile::tempdir().unwrap();
    for file in fs::read_dir(dir.path()).unwrap().flatten() {
        fs::copy(file.path(), copy.path().join(file.file_name())).unwrap();
    }
    drop(open(copy.path()));
    assert!(
        has_processes(&arn),
        "the task of a stack that lives is not left over, though its folder was copied"
    );
    stack.kill().await.unwrap();
    assert!(has_processes(&arn), "the task outlives the stack");

    let ecs = open(dir.path());
    assert!(!has_processes(&arn));
    let task = stopped(&ecs, &arn).await;
    assert_eq!(task["stopCode"], "TerminationNotice");
    assert_eq!(task["stoppedReason"], "The embedded stack ended without having been shut down");
    assert_eq!(task["containers"][0]["exitCode"], 137);
}

/// Whether a process carries the task's ARN in its environment.
#[cfg(target_os = "linux")]
fn has_processes(arn: &str) -> bool {
    let carries = format!("ECS_TASK_ARN={arn}");
    fs::read_dir("/proc").unwrap().flatten().any(|process| {
        let environment = fs::read(process.path().join("environ")).unwrap_or_default();
        environment.split(|byte| *byte == 0).any(|variable| variable == carries.as_bytes())
    })
}

#[cfg(target_os = "linux")]
async fn gone(arn: &str) {
    until("the task's processes to be gone", || !has_processes(arn)).await;
}

#[tokio::test]
async fn a_cluster_that_is_full_answers_with_a_failure_until_there_is_room() {
    let (_dir, ecs) = with_script("sleep 60");
    ecs.limit_tasks(Some(1));
    let first = run(&ecs).await;
    let full = ecs.call("RunTask", json!({"taskDefinition": "worker"})).await.unwrap();
    assert_eq!(full["tasks"], json!([]));
    assert_eq!(full["failures"][0]["reason"], "RESOURCE:CPU");
    ecs.call("StopTask", json!({"task": first})).await.unwrap();
    stopped(&ecs, &first).await;
    let second = run(&ecs).await;
    ecs.call("StopTask", json!({"task": second})).await.unwrap();
    stopped(&ecs, &second).await;
}

#[tokio::test]
async fn no_task_starts_from_a_definition_that_was_taken_away() {
    let (_dir, ecs) = with_script("exit 0");
    let taken = json!({"taskDefinition": "worker:1"});
    let answer = ecs.call("DeregisterTaskDefinition", taken.clone()).await.unwrap();
    assert_eq!(answer["taskDefinition"]["status"], "INACTIVE");
    assert_eq!(refusal(&ecs, "RunTask", json!({"taskDefinition": "worker"})).await.0, "ClientException");
    assert_eq!(refusal(&ecs, "DeregisterTaskDefinition", taken).await.0, "ClientException");
}
