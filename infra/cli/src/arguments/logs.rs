//! The command line of `logs`.

use clap::Args;
use statemachine::JobId;

/// Whose lines are shown, and which.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct LogsArguments {
    /// The import's id, as `baton imports` lists it
    pub(crate) id: JobId,
    /// Stay and show what is logged, until the import's execution has ended
    #[arg(long, short)]
    pub(crate) follow: bool,
    /// Only the lines of this attempt, counted as `baton show` counts them
    #[arg(long, value_name = "N")]
    pub(crate) attempt: Option<u64>,
    /// Only the last lines of each container
    #[arg(long, short = 'n', value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) tail: Option<u32>,
}

const EXAMPLES: &str = "\
The lines are the worker's own, from CloudWatch Logs, each container apart. --json prints one object for each line.

Examples:
  baton logs people-20261123-101500-4f1c                 all that its workers logged
  baton logs people-20261123-101500-4f1c --attempt 2     one attempt
  baton logs people-20261123-101500-4f1c --follow -n 20  stay until it has ended";
