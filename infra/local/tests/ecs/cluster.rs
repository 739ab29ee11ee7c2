//! A cluster whose one task definition is a shell script.

use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use local_stack::ecs::{Ecs, TaskDefinition};
use local_stack::process::BaseEnvironment;
use serde_json::json;

pub(crate) const TASK_ARN: &str = "arn:aws:ecs:ap-northeast-1:123456789012:task/default/";

pub(crate) fn open(dir: &Path) -> Arc<Ecs> {
    let variables = [("PATH", "/usr/bin:/bin"), ("AWS_SECRET_ACCESS_KEY", "of the stack itself")];
    let base =
        BaseEnvironment::of(variables.map(|(name, value)| (OsString::from(name), OsString::from(value))));
    Ecs::open(dir, "ap-northeast-1", "123456789012", base).unwrap()
}

/// Registers a family `worker` whose container `worker` is this shell script.
pub(crate) fn register(ecs: &Ecs, dir: &Path, script: &str) -> String {
    let command = dir.join("worker.sh");
    fs::write(&command, format!("#!/bin/sh\n{script}\n")).unwrap();
    fs::set_permissions(&command, fs::Permissions::from_mode(0o700)).unwrap();
    ecs.register(definition(dir, command))
}

pub(crate) fn definition(dir: &Path, command: PathBuf) -> TaskDefinition {
    TaskDefinition {
        family: "worker".to_owned(),
        container: "worker".to_owned(),
        command,
        environment: vec![("GIVEN".to_owned(), "by the definition".to_owned())],
        log_dir: dir.to_owned(),
        log_group: "/ecs/worker".to_owned(),
        log_stream_prefix: "logs".to_owned(),
        stop_timeout: Duration::from_millis(300),
    }
}

pub(crate) async fn run(ecs: &Arc<Ecs>) -> String {
    let answer = ecs.call("RunTask", json!({"taskDefinition": "worker"})).await.unwrap();
    answer["tasks"][0]["taskArn"].as_str().unwrap().to_owned()
}

/// Waits until the task's log has this line.
pub(crate) async fn logged(dir: &Path, arn: &str, line: &str) {
    let log = dir.join(format!("{}.log", arn.strip_prefix(TASK_ARN).unwrap()));
    let has_line = || fs::read_to_string(&log).unwrap_or_default().lines().any(|found| found == line);
    until(&format!("{line:?} in the log"), has_line).await;
}

/// Looks again and again until it is so.
pub(crate) async fn until(what: &str, is_so: impl Fn() -> bool) {
    let looking = async {
        let mut looks = tokio::time::interval(Duration::from_millis(5));
        while !is_so() {
            looks.tick().await;
        }
    };
    assert!(
        tokio::time::timeout(Duration::from_secs(20), looking).await.is_ok(),
        "waited in vain for {what}"
    );
}
