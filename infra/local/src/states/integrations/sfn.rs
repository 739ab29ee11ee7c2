//! Step Functions itself, through the AWS SDK.

use serde_json::Value;

use super::{CallOutcome, case, failure_of};
use crate::states::time::Timestamp;
use crate::wire::AwsError;

/// An operation of `aws-sdk:sfn`, answered by `call`: PascalCase, and times as ISO 8601 text.
pub(crate) fn call_itself(
    arguments: Value,
    call: impl FnOnce(Value) -> Result<Value, AwsError>,
) -> CallOutcome {
    match call(case::camel(arguments)) {
        Ok(answer) => CallOutcome::Succeeded(case::with_times(case::pascal(answer), "Date", &|seconds| {
            Timestamp::from_millis(case::millis(seconds)).to_iso().into()
        })),
        Err(error) => CallOutcome::Failed(failure_of("Sfn", &error)),
    }
}
