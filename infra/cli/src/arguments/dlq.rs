//! The command line of `dlq`.

use clap::{ArgGroup, Args, Subcommand};
use ops::dlq::selection::{Filters, Selection};
use ops::moment::Moment;
use statemachine::JobId;

/// What to do with the dead-letter queue.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct DlqArguments {
    #[command(subcommand)]
    pub(crate) verb: DlqVerb,
}

#[derive(Subcommand)]
pub(crate) enum DlqVerb {
    /// List the dead letters: import, error, execution, age
    List(DlqListArguments),
    /// Show dead letters whole: cause, body, where they come from
    Show(DlqShowArguments),
    /// Move dead letters back to the queue of imports, where each starts a new execution
    Redrive(DlqRedriveArguments),
    /// Delete dead letters
    Drop(DlqDropArguments),
}

/// Which dead letters are listed.
#[derive(Args)]
#[command(after_help = LIST_EXAMPLES)]
pub(crate) struct DlqListArguments {
    #[command(flatten)]
    pub(crate) filters: DlqFilters,
}

/// Which dead letters; all conditions have to hold.
#[derive(Args)]
#[command(next_help_heading = "Which dead letters")]
pub(crate) struct DlqFilters {
    /// Only those with this error, such as Import.TableMissing; may be repeated
    #[arg(long = "error", value_name = "NAME")]
    pub(crate) errors: Vec<String>,
    /// Only those that ask for this import; may be repeated
    #[arg(long = "import", value_name = "ID")]
    pub(crate) imports: Vec<JobId>,
    /// Only those that were sent since then: so long ago (90s, 30m, 2h, 3d), or a time (2026-11-24T09:30:00Z)
    #[arg(long, value_name = "TIME")]
    pub(crate) since: Option<Moment>,
    /// Only those that were sent before then, in the same words
    #[arg(long, value_name = "TIME")]
    pub(crate) older_than: Option<Moment>,
}

#[derive(Args)]
#[command(after_help = SHOW_EXAMPLES)]
pub(crate) struct DlqShowArguments {
    /// Ids of messages in the dead-letter queue, or of imports
    #[arg(required = true, value_name = "ID")]
    pub(crate) ids: Vec<String>,
}

/// Which dead letters are acted upon.
#[derive(Args)]
#[command(group = ArgGroup::new("which").required(true).multiple(true).args(["ids", "all", "errors", "imports", "since", "older_than"]))]
pub(crate) struct DlqSelection {
    /// Ids of messages in the dead-letter queue, or of imports
    #[arg(value_name = "ID")]
    pub(crate) ids: Vec<String>,
    /// All dead letters, as far as the conditions hold
    #[arg(long, conflicts_with = "ids")]
    pub(crate) all: bool,
    #[command(flatten)]
    pub(crate) filters: DlqFilters,
}

#[derive(Args)]
#[command(after_help = REDRIVE_EXAMPLES)]
pub(crate) struct DlqRedriveArguments {
    /// Do it: without, dead letters that are not named one by one are only listed
    #[arg(long)]
    pub(crate) yes: bool,
    #[command(flatten)]
    pub(crate) selection: DlqSelection,
}

#[derive(Args)]
#[command(after_help = DROP_EXAMPLES)]
pub(crate) struct DlqDropArguments {
    /// Do it: without, it is only said what would be lost
    #[arg(long)]
    pub(crate) yes: bool,
    #[command(flatten)]
    pub(crate) selection: DlqSelection,
}

impl DlqSelection {
    /// What is meant by it.
    pub(crate) fn selection(&self) -> Selection {
        Selection { ids: self.ids.clone(), filters: self.filters.filters() }
    }
}

impl DlqFilters {
    /// The conditions.
    pub(crate) fn filters(&self) -> Filters {
        Filters {
            errors: self.errors.clone(),
            imports: self.imports.clone(),
            since: self.since.map(|since| since.0),
            older_than: self.older_than.map(|before| before.0),
        }
    }
}

const EXAMPLES: &str = "\
Examples:
  baton dlq list --error Import.SourceMissing            what lies there for one reason
  baton dlq show people-20261123-101500-4f1c             one import's dead letter, with its body
  baton dlq redrive people-20261123-101500-4f1c          back to the queue of imports
  baton dlq drop --older-than 7d                         what would be deleted";

const LIST_EXAMPLES: &str = "\
Examples:
  baton dlq list
  baton dlq list --error Import.SourceMissing --since 2h
  baton dlq list --older-than 7d --json";

const SHOW_EXAMPLES: &str = "\
Examples:
  baton dlq show people-20261123-101500-4f1c             by the import that it asks for
  baton dlq show people-20261123-101500-4f1c --json | jq -r '.[0].body'";

const REDRIVE_EXAMPLES: &str = "\
Each message that is moved is a new one and starts a new execution. `baton redrive` takes up the failed execution instead, and \
deletes its dead letter when it has succeeded. Whoever does both gets nothing twice.

Examples:
  baton dlq redrive people-20261123-101500-4f1c
  baton dlq redrive --all --yes
  baton dlq redrive --error Import.TableMissing --since 2h --yes";

const DROP_EXAMPLES: &str = "\
Examples:
  baton dlq drop people-20261123-101500-4f1c             what would be lost
  baton dlq drop people-20261123-101500-4f1c --yes
  baton dlq drop --error Message.Invalid --yes";
