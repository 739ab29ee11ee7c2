//! The command line of `redrive`.

use clap::{ArgGroup, Args};
use ops::moment::Moment;
use ops::redrive::selection::Wanted;

/// Which executions are redriven.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
#[command(group = ArgGroup::new("which").required(true).multiple(true).args(["ids", "all_failed", "errors", "since"]))]
pub(crate) struct RedriveArguments {
    /// Imports whose failed executions are to be redriven; the name or the ARN of one execution may be given, too
    #[arg(value_name = "ID")]
    pub(crate) ids: Vec<String>,
    /// Redrive all failed executions that can be redriven
    #[arg(long, conflicts_with = "ids")]
    pub(crate) all_failed: bool,
    /// Only those that failed with this error, such as Import.TableMissing; may be repeated
    #[arg(long = "error", value_name = "NAME")]
    pub(crate) errors: Vec<String>,
    /// Only those that failed since then: so long ago (90s, 30m, 2h, 3d), or a time (2026-11-24T09:30:00Z)
    #[arg(long, value_name = "TIME")]
    pub(crate) since: Option<Moment>,
    /// Do it: without, executions that are not named one by one are only listed
    #[arg(long)]
    pub(crate) yes: bool,
    /// Leave once they are redriven, without waiting for their end; their dead letters stay
    #[arg(long)]
    pub(crate) no_wait: bool,
}

impl RedriveArguments {
    /// What is meant by them.
    pub(crate) fn wanted(&self) -> Wanted {
        Wanted { ids: self.ids.clone(), errors: self.errors.clone(), since: self.since.map(|since| since.0) }
    }
}

const EXAMPLES: &str = "\
A redrive takes the failed execution up where it failed, with the options that the import has: mend the cause first.

Examples:
  baton redrive people-20261123-101500-4f1c              one import, once its cause is mended
  baton redrive --all-failed                             what would be redriven
  baton redrive --all-failed --yes                       all that failed
  baton redrive --error Import.TableMissing --since 2h --yes
  baton redrive people-1 people-2 --no-wait              leave at once; `baton show` tells the end";
