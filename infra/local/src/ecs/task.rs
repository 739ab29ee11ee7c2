//! A task as `DescribeTasks` shows it, and the steps of its life. Shapes and names: the service model of ECS 2014-11-13.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::process::{Exit, StartError};
use crate::wire::AwsError;

/// A task. It holds the overrides and with them a task token: it has no `Debug`, so that it is never logged.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Task {
    pub(super) task_arn: String,
    pub(super) cluster_arn: String,
    pub(super) task_definition_arn: String,
    pub(super) group: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) started_by: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) launch_type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) capacity_provider_name: Option<String>,
    pub(super) last_status: String,
    pub(super) desired_status: String,
    pub(super) version: i64,
    pub(super) attachments: Vec<Value>,
    pub(super) containers: Vec<Container>,
    pub(super) overrides: Value,
    pub(super) tags: Vec<Tag>,
    pub(super) enable_execute_command: bool,
    /// Times are seconds since 1970, as in all of AWS JSON 1.1.
    pub(super) created_at: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) started_at: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) stopping_at: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) execution_stopped_at: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) stopped_at: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) stop_code: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) stopped_reason: Option<String>,
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Container {
    pub(super) container_arn: String,
    pub(super) task_arn: String,
    pub(super) name: String,
    pub(super) image: String,
    pub(super) last_status: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) exit_code: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) runtime_id: Option<String>,
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Tag {
    pub(super) key: String,
    #[serde(default)]
    pub(super) value: String,
}

/// Why a task is asked to stop.
pub(super) struct Stop {
    pub(super) code: &'static str,
    pub(super) reason: String,
}

impl Stop {
    pub(super) fn by_user(reason: Option<String>) -> Self {
        Self { code: "UserInitiated", reason: reason.unwrap_or_else(|| "Task stopped by user".to_owned()) }
    }

    /// The name is AWS's for a host that goes away.
    pub(super) fn shutdown() -> Self {
        Self { code: "TerminationNotice", reason: "The embedded stack was shut down".to_owned() }
    }

    /// The next stack says so, and be it one that only looks: that does not make it a restart.
    pub(super) fn stack_killed() -> Self {
        let reason = "The embedded stack ended without having been shut down".to_owned();
        Self { code: "TerminationNotice", reason }
    }
}

impl Task {
    pub(super) fn is_stopped(&self) -> bool {
        self.last_status == "STOPPED"
    }

    pub(super) fn start(&mut self, pid: i32) {
        self.started_at = Some(now());
        // One that is to stop while it starts stays so.
        if self.last_status == "PROVISIONING" {
            self.set_status("RUNNING");
        }
        for container in &mut self.containers {
            container.runtime_id = Some(pid.to_string());
        }
    }

    /// The task is to stop. What was said first stays.
    pub(super) fn stop(&mut self, stop: Stop) {
        if self.is_stopped() || self.stop_code.is_some() {
            return;
        }
        self.desired_status = "STOPPED".to_owned();
        self.last_status = "STOPPING".to_owned();
        self.stopping_at = Some(now());
        self.stop_code = Some(stop.code.to_owned());
        self.stopped_reason = Some(stop.reason);
    }

    /// The container ended.
    pub(super) fn exit(&mut self, exit: Exit) {
        let was_asked = self.stop_code.is_some();
        if !was_asked {
            let reason = "Essential container in task exited".to_owned();
            self.stop(Stop { code: "EssentialContainerExited", reason });
        }
        let reason = match exit {
            Exit::Signal(9) if !was_asked => {
                Some("Killed by signal 9 that nobody asked for: out of memory, or a kill by hand".to_owned())
            }
            Exit::Signal(signal) if !was_asked => Some(format!("Killed by signal {signal}")),
            Exit::Unknown => Some("The exit code is not known".to_owned()),
            _ => None,
        };
        self.end(exit.code(), reason.as_deref());
    }

    /// The container never started.
    pub(super) fn fail_to_start(&mut self, error: &StartError) {
        let reason = format!("CannotStartContainerError: {error}");
        self.stop(Stop { code: "TaskFailedToStart", reason: reason.clone() });
        self.end(None, Some(&reason));
    }

    /// The task was told to stop before its container started.
    pub(super) fn never_start(&mut self) {
        self.end(None, None);
    }

    fn end(&mut self, exit_code: Option<i32>, reason: Option<&str>) {
        let now = now();
        self.execution_stopped_at = Some(now);
        self.stopped_at = Some(now);
        self.set_status("STOPPED");
        for container in &mut self.containers {
            container.exit_code = exit_code;
            container.reason = reason.map(str::to_owned);
        }
    }

    fn set_status(&mut self, status: &str) {
        self.last_status = status.to_owned();
        for container in &mut self.containers {
            container.last_status = status.to_owned();
        }
    }

    /// The task as a client sees it; tags only where they were asked for.
    pub(super) fn to_json(&self, with_tags: bool) -> Result<Value, AwsError> {
        let mut json = serde_json::to_value(self).map_err(AwsError::internal)?;
        if !with_tags && let Some(fields) = json.as_object_mut() {
            fields.remove("tags");
        }
        Ok(json)
    }
}

/// Seconds since 1970, to the millisecond.
pub(super) fn now() -> f64 {
    // Exact for the next 285,000 years.
    #[expect(clippy::cast_precision_loss, reason = "milliseconds since 1970 have 41 bits, a double holds 53")]
    let milliseconds = chrono::Utc::now().timestamp_millis() as f64;
    milliseconds / 1000.0
}
