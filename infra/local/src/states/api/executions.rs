//! Executions: start, describe, list, stop, redrive.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Value, json};

use super::{check_failure, invalid, invalid_page, is_name, page_size, put};
use crate::states::States;
use crate::states::chance::Chance;
use crate::states::execution::{Event, Execution, Failure, Identity, Refused};
use crate::states::limits::{MAX_DATA_BYTES, cut, parse_json};
use crate::states::repository::{ExecutionFilter, Listed, Position, Stored};
use crate::states::time::Timestamp;
use crate::wire::{AwsError, parse};

/// The longest trace header, in characters (`API_StartExecution`).
const MAX_TRACE_HEADER: usize = 256;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Start {
    state_machine_arn: String,
    name: Option<String>,
    input: Option<String>,
    trace_header: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct OneExecution {
    execution_arn: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct List {
    state_machine_arn: Option<String>,
    status_filter: Option<String>,
    redrive_filter: Option<String>,
    max_results: Option<i64>,
    next_token: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Stop {
    execution_arn: String,
    error: Option<String>,
    cause: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Redrive {
    execution_arn: String,
    client_token: Option<String>,
}

impl States {
    pub(in crate::states) fn start_execution(self: &Arc<Self>, body: Value) -> Result<Value, AwsError> {
        let request: Start = parse("StartExecution", body)?;
        self.check_machine_arn(&request.state_machine_arn)?;
        let name = request.name.unwrap_or_else(|| Chance::from_system().uuid());
        if !is_name(&name) {
            return Err(AwsError::client("InvalidName", format!("Invalid Name: '{}'", cut(&name, 80))));
        }
        let input = request.input.unwrap_or_else(|| "{}".to_owned());
        if input.len() > MAX_DATA_BYTES {
            return Err(invalid(format!(
                "input has {} bytes, at most {MAX_DATA_BYTES} are taken",
                input.len()
            )));
        }
        let trace_header = request.trace_header;
        if trace_header.as_ref().is_some_and(|header| !header.is_ascii() || header.len() > MAX_TRACE_HEADER) {
            return Err(invalid(format!(
                "traceHeader does not have at most {MAX_TRACE_HEADER} characters of ASCII"
            )));
        }
        let Some(parsed) = parse_json(&input) else {
            return Err(AwsError::client("InvalidExecutionInput", "Invalid State Machine Execution Input"));
        };
        let (machine, revision) = self.machine(&request.state_machine_arn)?;
        let identity = Identity {
            arn: format!("arn:aws:states:{}:{}:execution:{}:{name}", self.region, self.account, machine.name),
            name,
            machine_arn: machine.arn,
            role_arn: self.role_arn(&machine.name),
            machine_name: machine.name,
            region: self.region.clone(),
        };
        if let Some(known) = self.repository.load(&identity.arn)? {
            return started_before(&known, &input);
        }
        let definition = self.definition(revision.id)?;
        let now = Timestamp::now();
        let mut execution = Execution::new(identity, parsed, now);
        execution.trace_header = trace_header;
        let step = execution.step(&definition, now, &mut Chance::from_system(), Event::Start);
        if !self.repository.insert(&execution, revision.id, &input, &step)? {
            // Somebody else was quicker with this name.
            return started_before(&self.stored(&execution.identity.arn)?, &input);
        }
        let answer = started(&execution);
        self.perform(&execution, &input, step);
        Ok(answer)
    }

    pub(in crate::states) fn describe_execution(&self, body: Value) -> Result<Value, AwsError> {
        let request: OneExecution = parse("DescribeExecution", body)?;
        self.check_execution_arn(&request.execution_arn)?;
        let Stored { input, execution, .. } = self.stored(&request.execution_arn)?;
        let included = json!({"included": true});
        let mut answer = json!({
            "executionArn": execution.identity.arn,
            "stateMachineArn": execution.identity.machine_arn,
            "name": execution.identity.name,
            "status": execution.status.as_str(),
            "startDate": execution.started.to_wire(),
            "input": input,
            "inputDetails": included,
            "redriveCount": execution.redrive_count,
        });
        put(&mut answer, "traceHeader", execution.trace_header.as_deref());
        put(&mut answer, "stopDate", execution.stopped.map(Timestamp::to_wire));
        put(&mut answer, "redriveDate", execution.redriven.map(Timestamp::to_wire));
        if let Some(output) = &execution.output {
            answer["output"] = output.to_string().into();
            answer["outputDetails"] = included;
        }
        put(&mut answer, "error", execution.error.as_deref());
        put(&mut answer, "cause", execution.cause.as_deref());
        match execution.redrivable(Timestamp::now()) {
            Ok(()) => answer["redriveStatus"] = "REDRIVABLE".into(),
            Err(reason) => {
                answer["redriveStatus"] = "NOT_REDRIVABLE".into();
                answer["redriveStatusReason"] = reason.to_string().into();
            }
        }
        Ok(answer)
    }

    pub(super) fn list_executions(&self, body: Value) -> Result<Value, AwsError> {
        const STATUSES: [&str; 6] =
            ["RUNNING", "SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED", "PENDING_REDRIVE"];
        let request: List = parse("ListExecutions", body)?;
        let machine_arn =
            request.state_machine_arn.ok_or_else(|| invalid("stateMachineArn must be given"))?;
        self.check_machine_arn(&machine_arn)?;
        self.machine(&machine_arn)?;
        let status = request.status_filter.as_deref();
        if let Some(status) = status.filter(|status| !STATUSES.contains(status)) {
            return Err(invalid(format!("statusFilter {status:?} is no status")));
        }
        let redriven = match request.redrive_filter.as_deref() {
            None => None,
            Some("REDRIVEN") => Some(true),
            Some("NOT_REDRIVEN") => Some(false),
            Some(other) => {
                return Err(invalid(format!("redriveFilter {other:?} is neither REDRIVEN nor NOT_REDRIVEN")));
            }
        };
        let limit = page_size(request.max_results)?;
        let after = request.next_token.as_deref().map(position).transpose()?;
        let filter = ExecutionFilter { machine_arn: &machine_arn, status, redriven };
        // One more than asked for tells whether there is another page.
        let mut rows = self.repository.executions(&filter, after, limit + 1)?;
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let has_more = rows.len() > limit;
        rows.truncate(limit);
        let executions: Vec<_> = rows.iter().map(|row| listed(row, &machine_arn)).collect();
        let mut answer = json!({"executions": executions});
        let last = rows.last().filter(|_| has_more);
        put(&mut answer, "nextToken", last.map(|row| format!("{}.{}", row.started_ms, row.id)));
        Ok(answer)
    }

    pub(super) fn stop_execution(self: &Arc<Self>, body: Value) -> Result<Value, AwsError> {
        let Stop { execution_arn, error, cause } = parse("StopExecution", body)?;
        self.check_execution_arn(&execution_arn)?;
        check_failure(error.as_deref(), cause.as_deref())?;
        let event = Event::Stop(Failure { error, cause });
        // An execution that is closed is stopped already.
        let stepped = self.feed(&execution_arn, &event)?.ok_or_else(|| unknown(&execution_arn))?;
        Ok(json!({"stopDate": stepped.execution.stopped.map(Timestamp::to_wire)}))
    }

    pub(super) fn redrive_execution(self: &Arc<Self>, body: Value) -> Result<Value, AwsError> {
        let request: Redrive = parse("RedriveExecution", body)?;
        self.check_execution_arn(&request.execution_arn)?;
        let client_token = request.client_token.as_deref();
        let redriven_before = |client_token: &str| {
            let stored = self.stored(&request.execution_arn)?;
            let redriven = self.repository.redriven_with(&stored, client_token, Timestamp::now())?;
            Ok::<_, AwsError>(redriven.map(|redriven| json!({"redriveDate": redriven.to_wire()})))
        };
        if let Some(client_token) = client_token {
            let is_printable = client_token.bytes().all(|byte| byte.is_ascii_graphic());
            if !is_printable || !(1..=64).contains(&client_token.len()) {
                return Err(invalid("clientToken does not have 1 to 64 printable characters"));
            }
            if let Some(answer) = redriven_before(client_token)? {
                return Ok(answer);
            }
        }
        let stepped = self
            .feed_redrive(&request.execution_arn, &Event::Redrive, client_token)?
            .ok_or_else(|| unknown(&request.execution_arn))?;
        if let Some(Refused::NotRedrivable(reason)) = stepped.refused {
            // The same request may have come twice at once.
            if let Some(answer) = client_token.map(redriven_before).transpose()?.flatten() {
                return Ok(answer);
            }
            return Err(AwsError::client("ExecutionNotRedrivable", reason.to_string()));
        }
        Ok(json!({"redriveDate": stepped.execution.redriven.map(Timestamp::to_wire)}))
    }

    /// An execution that must exist.
    pub(super) fn stored(&self, arn: &str) -> Result<Stored, AwsError> {
        self.repository.load(arn)?.ok_or_else(|| unknown(arn))
    }
}

pub(super) fn unknown(arn: &str) -> AwsError {
    AwsError::client("ExecutionDoesNotExist", format!("Execution Does Not Exist: '{arn}'"))
}

fn started(execution: &Execution) -> Value {
    json!({"executionArn": execution.identity.arn, "startDate": execution.started.to_wire()})
}

/// A name that is taken: the same answer again while the execution is open and was started with the same input.
fn started_before(known: &Stored, input: &str) -> Result<Value, AwsError> {
    if known.execution.stopped.is_none() && known.input == input {
        return Ok(started(&known.execution));
    }
    let message = format!("Execution Already Exists: '{}'", known.execution.identity.arn);
    Err(AwsError::client("ExecutionAlreadyExists", message))
}

fn listed(row: &Listed, machine_arn: &str) -> Value {
    let at = |millis| Timestamp::from_millis(millis).to_wire();
    let mut item = json!({
        "executionArn": row.arn,
        "stateMachineArn": machine_arn,
        "name": row.name,
        "status": row.status,
        "startDate": at(row.started_ms),
        "redriveCount": row.redrive_count,
    });
    put(&mut item, "stopDate", row.stopped_ms.map(at));
    put(&mut item, "redriveDate", row.redriven_ms.map(at));
    item
}

fn position(token: &str) -> Result<Position, AwsError> {
    let (started_ms, id) = token.split_once('.').ok_or_else(invalid_page)?;
    let number = |text: &str| text.parse().map_err(|_| invalid_page());
    Ok(Position { started_ms: number(started_ms)?, id: number(id)? })
}
