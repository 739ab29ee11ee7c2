//! Step Functions itself, through the AWS SDK.

use serde_json::Value;

use super::{Outcome, case, failure_of};
use crate::states::time::Timestamp;
use crate::wire::AwsError;

/// `aws-sdk:sfn:describeExecution`, answered by `describe`: PascalCase, and times as ISO 8601 text.
pub(crate) fn describe_execution(
    arguments: Value,
    describe: impl FnOnce(Value) -> Result<Value, AwsError>,
) -> Outcome {
    match describe(case::camel(arguments)) {
        Ok(answer) => Outcome::Succeeded(case::with_times(case::pascal(answer), "Date", &|seconds| {
            Timestamp::from_millis(case::millis(seconds)).to_iso().into()
        })),
        Err(error) => Outcome::Failed(failure_of("Sfn", &error)),
    }
}
