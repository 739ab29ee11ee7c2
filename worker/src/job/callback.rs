//! The three calls that a task token gives the right to. The token never leaves this module, and neither do the messages
//! of Step Functions: some repeat the token.

use aws_sdk_sfn::Client;
use aws_sdk_sfn::error::{ProvideErrorMetadata, SdkError};
use secrecy::{ExposeSecret, SecretString};
use statemachine::{FailureName, Report};

/// The longest cause, in characters (`API_SendTaskFailure`).
const MAX_CAUSE_CHARS: usize = 32_768;

/// A task that waits for this worker.
#[derive(Clone, Debug)]
pub(crate) struct Callback {
    client: Client,
    token: SecretString,
}

/// Why a call was not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum CallbackError {
    /// The task waits no longer: it is closed, timed out or unknown.
    #[error("the execution waits no longer for this worker: {0}")]
    Gone(&'static str),
    /// Anything else: throttled, unreachable, not permitted.
    #[error("Step Functions did not take the call: {0}")]
    NotTaken(String),
}

/// The errors that mean "no longer yours". Which of them comes depends on how the task ended.
const GONE: [&str; 3] = ["TaskTimedOut", "TaskDoesNotExist", "InvalidToken"];

impl Callback {
    pub(crate) fn new(client: Client, token: SecretString) -> Self {
        Self { client, token }
    }

    /// Says that the work gets on.
    pub(crate) async fn beat(&self) -> Result<(), CallbackError> {
        let call = self.client.send_task_heartbeat().task_token(self.token.expose_secret());
        call.send().await.map(drop).map_err(|error| refusal(&error))
    }

    /// Ends the task with a report.
    pub(crate) async fn succeed(&self, report: &Report) -> Result<(), CallbackError> {
        #[expect(clippy::expect_used, reason = "strings and numbers")]
        let output = serde_json::to_string(report).expect("a report is plain JSON");
        let call = self.client.send_task_success().task_token(self.token.expose_secret()).output(output);
        call.send().await.map(drop).map_err(|error| refusal(&error))
    }

    /// Ends the task with a failure.
    pub(crate) async fn fail(&self, name: FailureName, cause: &str) -> Result<(), CallbackError> {
        let call = self
            .client
            .send_task_failure()
            .task_token(self.token.expose_secret())
            .error(name.as_str())
            .cause(printable(cause));
        call.send().await.map(drop).map_err(|error| refusal(&error))
    }
}

fn refusal<E: ProvideErrorMetadata, R>(error: &SdkError<E, R>) -> CallbackError {
    let code = error.code();
    if let Some(gone) = GONE.into_iter().find(|gone| Some(*gone) == code) {
        return CallbackError::Gone(gone);
    }
    CallbackError::NotTaken(match (code, error) {
        (Some(code), _) => code.to_owned(),
        (None, SdkError::TimeoutError(_)) => "no answer in time".to_owned(),
        (None, SdkError::DispatchFailure(failure)) => failure
            .as_connector_error()
            .map_or_else(|| "the call could not be sent".to_owned(), |error| chain(error)),
        (None, _) => "an answer that is none of Step Functions".to_owned(),
    })
}

fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

/// A cause as Step Functions takes it: not too long, and nothing that upsets a console. Its lines stay lines: a cause lists
/// what is wrong line by line.
pub(crate) fn printable(cause: &str) -> String {
    let printable = |c: char| if c.is_control() && c != '\n' { ' ' } else { c };
    cause.chars().map(printable).take(MAX_CAUSE_CHARS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_is_cut_and_cleaned() {
        assert_eq!(printable("a\nb\r\u{1b}[31m"), "a\nb  [31m");
        assert_eq!(printable(&"名".repeat(40_000)).chars().count(), MAX_CAUSE_CHARS);
    }
}
