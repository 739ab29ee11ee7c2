//! What a user reads when something went wrong: what was tried, why it failed, what to do next.

use std::error::Error;

use aws_sdk_sfn::config::http::HttpResponse;
use aws_sdk_sfn::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_sfn::operation::RequestId as _;
use statemachine::JobId;

use crate::commands::Commands;

/// Wrong usage: the command line names something that is not there, or asks for the impossible. Ends with exit code 2.
#[derive(Debug)]
pub struct Usage(pub String);

impl std::fmt::Display for Usage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for Usage {}

/// The complaint about an id that no import has.
pub fn no_such_import(commands: &Commands, id: &JobId) -> Usage {
    Usage(format!(
        "there is no import {id} here, unless its message still waits in the queue; `{}` lists the latest",
        commands.line("imports")
    ))
}

/// An error of an AWS service, as [`words_of_aws`] has it.
#[expect(clippy::needless_pass_by_value, reason = "it is what `map_err` calls")]
pub fn of_aws<E>(error: SdkError<E, HttpResponse>) -> anyhow::Error
where
    E: ProvideErrorMetadata + Error + 'static,
{
    anyhow::anyhow!("{}", words_of_aws(&error))
}

/// What a service says, by the name of its error, with the request's id by which AWS finds it; or why it said nothing. What the SDK
/// knows besides, such as the structure of a request, helps nobody.
pub fn words_of_aws<E>(error: &SdkError<E, HttpResponse>) -> String
where
    E: ProvideErrorMetadata + Error + 'static,
{
    let request = error.request_id().map(|id| format!(" (request {id})")).unwrap_or_default();
    match (error.code(), error.message()) {
        (Some(code), Some(message)) => format!("{code}: {message}{request}"),
        (Some(code), None) => format!("{code}{request}"),
        (None, _) => format!("{}{request}", chain(error)),
    }
}

/// An error with its causes, each of which is told once.
pub(crate) fn chain(error: &dyn Error) -> String {
    let mut said = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let words = error.to_string();
        if !said.contains(&words) {
            said.push_str(": ");
            said.push_str(&words);
        }
        cause = error.source();
    }
    said
}

#[cfg(test)]
mod tests {
    use aws_sdk_sfn::error::ErrorMetadata;
    use aws_sdk_sfn::operation::describe_execution::DescribeExecutionError;

    use super::*;

    #[test]
    fn a_refusal_of_a_service_is_its_name_its_message_and_the_request() {
        let mut response = HttpResponse::new(400.try_into().unwrap(), "".into());
        response.headers_mut().insert("x-amzn-requestid", "1234-5");
        let refused = |metadata: ErrorMetadata| {
            SdkError::service_error(DescribeExecutionError::generic(metadata), response)
        };
        let metadata = ErrorMetadata::builder().code("AccessDenied").message("not for you").build();
        assert_eq!(of_aws(refused(metadata)).to_string(), "AccessDenied: not for you (request 1234-5)");
    }

    #[test]
    fn a_service_that_cannot_be_reached_is_told_by_its_causes_each_once() {
        let refused = std::io::Error::new(std::io::ErrorKind::ConnectionRefused, "connection refused");
        let error: SdkError<DescribeExecutionError, HttpResponse> = SdkError::timeout_error(refused);
        assert_eq!(of_aws(error).to_string(), "request has timed out: connection refused");
    }
}
