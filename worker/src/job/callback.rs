//! The three calls that a task token gives the right to. The token never leaves this module, and neither do the messages
//! of Step Functions: some repeat the token.

use aws_sdk_sfn::Client;
use aws_sdk_sfn::error::{ProvideErrorMetadata, SdkError};
use secrecy::{ExposeSecret, SecretString};
use statemachine::{FailureName, Report, cut, printable};

/// The longest cause (`API_SendTaskFailure`). That says characters, and not of what size: in bytes it is never too long.
const MAX_CAUSE_BYTES: usize = 32_768;

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
    /// What was said is not taken, now or later: it is too long, or it has a character too many.
    #[error("Step Functions does not take what was reported: {0}")]
    Refused(&'static str),
    /// Anything else: throttled, unreachable, not permitted.
    #[error("Step Functions did not take the call: {0}")]
    NotTaken(String),
}

/// The errors that mean "no longer yours". Which of them comes depends on how the task ended.
const GONE: [&str; 3] = ["TaskTimedOut", "TaskDoesNotExist", "InvalidToken"];

/// The errors that mean "not like this". AWS documents the first; the others are those of calls that do not fit the API.
const REFUSED: [&str; 4] =
    ["InvalidOutput", "ValidationException", "SerializationException", "RequestEntityTooLargeException"];

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
        let output = report.to_output();
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
            .cause(cause_of(cause));
        call.send().await.map(drop).map_err(|error| refusal(&error))
    }
}

fn refusal<E: ProvideErrorMetadata, R>(error: &SdkError<E, R>) -> CallbackError {
    let code = error.code();
    if let Some(gone) = GONE.into_iter().find(|gone| Some(*gone) == code) {
        return CallbackError::Gone(gone);
    }
    if let Some(refused) = REFUSED.into_iter().find(|refused| Some(*refused) == code) {
        return CallbackError::Refused(refused);
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

/// A cause as Step Functions takes it: not too long, and nothing that a service refuses or that upsets a console. Its lines
/// stay lines: a cause lists what is wrong line by line.
pub(crate) fn cause_of(cause: &str) -> String {
    cut(&printable(cause), MAX_CAUSE_BYTES).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_is_cut_and_cleaned() {
        assert_eq!(cause_of("a\nb\r\u{1b}[31m\u{fffe}"), "a\nb \u{fffd}[31m\u{fffd}");
        let cut = cause_of(&"名".repeat(40_000));
        assert!(cut.len() <= MAX_CAUSE_BYTES && cut.len() > MAX_CAUSE_BYTES - 4 && cut.ends_with("名…"));
    }
}
