//! The command line of `cancel`.

use clap::Args;
use statemachine::JobId;

/// Which imports are cancelled.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct CancelArguments {
    /// Imports whose open executions are to be stopped
    #[arg(value_name = "ID", required = true)]
    pub(crate) ids: Vec<JobId>,
    /// Do it, without a question; needed where nobody sits at a terminal
    #[arg(long, short)]
    pub(crate) yes: bool,
}

const EXAMPLES: &str = "\
The executions of the import are stopped, its rows rolled back, its message dead-lettered; it can be redriven.

Examples:
  baton cancel people-20261123-101500-4f1c               says what will happen, and asks
  baton cancel people-1 people-2 --yes                   does it
  baton redrive people-1                                 runs it again";
