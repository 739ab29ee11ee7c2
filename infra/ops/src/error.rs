//! What a user reads when something went wrong: what was tried, why it failed, what to do next.

use std::process::ExitCode;

/// Wrong usage: the command line names something that is not there, or asks for the impossible. Ends with exit code 2.
#[derive(Debug)]
pub(crate) struct Usage(pub(crate) String);

impl std::fmt::Display for Usage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Usage {}

/// An error of an SDK, with all that it says of itself.
pub(crate) fn of_aws(error: impl std::error::Error) -> anyhow::Error {
    anyhow::anyhow!("{}", aws_sdk_sfn::error::DisplayErrorContext(error))
}

/// Prints the whole chain, once, and says how the process ends.
pub(crate) fn explain(error: &anyhow::Error) -> ExitCode {
    crate::output::complain(&format!("error: {error}"));
    for cause in error.chain().skip(1) {
        crate::output::complain(&format!("  because {cause}"));
    }
    if error.is::<Usage>() || error.downcast_ref::<Usage>().is_some() {
        ExitCode::from(2)
    } else {
        ExitCode::FAILURE
    }
}
