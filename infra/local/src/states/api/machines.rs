//! State machines, which are the stack's own: they are described and listed, not created over the wire.

use serde::Deserialize;
use serde_json::{Value, json};

use super::{invalid, invalid_page, page_size, put};
use crate::states::States;
use crate::states::definition::Definition;
use crate::states::repository::{MachineRow, Revision};
use crate::states::time::Timestamp;
use crate::wire::{AwsError, parse};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct OneMachine {
    state_machine_arn: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct OfExecution {
    execution_arn: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct List {
    max_results: Option<i64>,
    next_token: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Validate {
    definition: String,
    r#type: Option<String>,
}

impl States {
    pub(super) fn describe_state_machine(&self, body: Value) -> Result<Value, AwsError> {
        let request: OneMachine = parse("DescribeStateMachine", body)?;
        self.check_machine_arn(&request.state_machine_arn)?;
        let (machine, revision) = self.machine(&request.state_machine_arn)?;
        Ok(json!({
            "stateMachineArn": machine.arn,
            "name": machine.name,
            "status": "ACTIVE",
            "definition": revision.definition,
            "roleArn": self.role_arn(&machine.name),
            "type": "STANDARD",
            "creationDate": Timestamp::from_millis(machine.created_ms).to_wire(),
            "loggingConfiguration": {"level": "OFF", "includeExecutionData": false},
            "revisionId": revision.revision_id,
        }))
    }

    pub(super) fn describe_state_machine_for_execution(&self, body: Value) -> Result<Value, AwsError> {
        let request: OfExecution = parse("DescribeStateMachineForExecution", body)?;
        self.check_execution_arn(&request.execution_arn)?;
        let stored = self.stored(&request.execution_arn)?;
        let revision = self.revision(stored.revision)?;
        let identity = &stored.execution.identity;
        Ok(json!({
            "stateMachineArn": revision.machine_arn,
            "name": identity.machine_name,
            "definition": revision.definition,
            "roleArn": identity.role_arn,
            "updateDate": Timestamp::from_millis(revision.created_ms).to_wire(),
            "loggingConfiguration": {"level": "OFF", "includeExecutionData": false},
            "revisionId": revision.revision_id,
        }))
    }

    pub(super) fn list_state_machines(&self, body: Value) -> Result<Value, AwsError> {
        let request: List = parse("ListStateMachines", body)?;
        let limit = page_size(request.max_results)?;
        if request.next_token.as_deref().is_some_and(|arn| self.check_machine_arn(arn).is_err()) {
            return Err(invalid_page());
        }
        let mut rows = self.repository.machines(request.next_token.as_deref(), limit + 1)?;
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let has_more = rows.len() > limit;
        rows.truncate(limit);
        let item = |row: &MachineRow| {
            json!({
                "stateMachineArn": row.arn,
                "name": row.name,
                "type": "STANDARD",
                "creationDate": Timestamp::from_millis(row.created_ms).to_wire(),
            })
        };
        let mut answer = json!({"stateMachines": rows.iter().map(item).collect::<Vec<_>>()});
        put(&mut answer, "nextToken", rows.last().filter(|_| has_more).map(|row| row.arn.as_str()));
        Ok(answer)
    }

    /// A machine that must exist, and its latest definition.
    pub(super) fn machine(&self, arn: &str) -> Result<(MachineRow, Revision), AwsError> {
        let unknown =
            || AwsError::client("StateMachineDoesNotExist", format!("State Machine Does Not Exist: '{arn}'"));
        let machine = self.repository.machine(arn)?.ok_or_else(unknown)?;
        let revision = self.repository.latest_revision(arn)?.ok_or_else(unknown)?;
        Ok((machine, revision))
    }
}

pub(super) fn validate_definition(body: Value) -> Result<Value, AwsError> {
    let request: Validate = parse("ValidateStateMachineDefinition", body)?;
    if request.r#type.as_deref().is_some_and(|machine_type| machine_type != "STANDARD") {
        return Err(invalid("only machines of type STANDARD are implemented"));
    }
    Ok(match Definition::parse(&request.definition) {
        Ok(_) => json!({"result": "OK", "diagnostics": [], "truncated": false}),
        Err(error) => json!({
            "result": "FAIL",
            "diagnostics": [{
                "severity": "ERROR",
                "code": "SCHEMA_VALIDATION_FAILED",
                "message": error.problem,
                "location": error.location,
            }],
            "truncated": false,
        }),
    })
}
