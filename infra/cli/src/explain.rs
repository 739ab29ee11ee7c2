//! What a user reads when a command went wrong.

use std::process::ExitCode;

use ops::error::Usage;

use crate::output;

/// Prints the whole chain, once, and says how the process ends.
pub(crate) fn explain(error: &anyhow::Error) -> ExitCode {
    output::complain(&format!("error: {error}"));
    for cause in error.chain().skip(1) {
        output::complain(&format!("  because {cause}"));
    }
    if error.is::<Usage>() { ExitCode::from(2) } else { ExitCode::FAILURE }
}
