//! The command line of `imports`.

use clap::{Args, ValueEnum};
use ops::moment::Moment;
use statemachine::FailureName;
use worker::ledger::{JobStatus, Search};

/// Which imports are listed.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct ImportsArguments {
    /// How many to list
    #[arg(long, short = 'n', value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) limit: u32,
    /// Only those of this status
    #[arg(long, value_name = "STATUS", ignore_case = true)]
    pub(crate) status: Option<Status>,
    /// Only those into this table, as it was named
    #[arg(long, short, value_name = "TABLE")]
    pub(crate) table: Option<String>,
    /// Only those with this in their s3://bucket/key, in upper or lower case
    #[arg(long, value_name = "TEXT")]
    pub(crate) file: Option<String>,
    /// Only those whose last attempt failed with this error, such as Import.TableMissing
    #[arg(long, value_name = "NAME")]
    pub(crate) error: Option<String>,
    /// Only those created since then: so long ago (90s, 30m, 2h, 3d), or a time (2026-11-24T09:30:00Z)
    #[arg(long, value_name = "TIME")]
    pub(crate) since: Option<Moment>,
    /// Only those created before then
    #[arg(long, value_name = "TIME")]
    pub(crate) until: Option<Moment>,
    /// Stay, and show what changes, until Ctrl-C
    #[arg(long, short)]
    pub(crate) watch: bool,
}

/// A status as it is typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Status {
    /// Its worker has not begun
    Pending,
    /// A worker is at it
    Running,
    /// Its rows are in the table
    Success,
    /// Its last attempt failed
    Failure,
}

impl ImportsArguments {
    /// What is looked for.
    pub(crate) fn search(&self) -> Search {
        let status = self.status.map(|status| match status {
            Status::Pending => JobStatus::Pending,
            Status::Running => JobStatus::Running,
            Status::Success => JobStatus::Success,
            Status::Failure => JobStatus::Failure,
        });
        Search {
            status,
            subject: self.table.clone(),
            file: self.file.clone(),
            error: self.error.as_deref().map(as_written),
            since: self.since.map(|since| since.0.naive_utc()),
            until: self.until.map(|until| until.0.naive_utc()),
            limit: self.limit,
            ..Search::default()
        }
    }

    /// Whether any import will do.
    pub(crate) fn is_without_filter(&self) -> bool {
        self.search() == Search { limit: self.limit, ..Search::default() }
    }
}

/// A failure's name in its own upper and lower case.
fn as_written(name: &str) -> String {
    let known = FailureName::ALL.iter().find(|known| known.as_str().eq_ignore_ascii_case(name));
    known.map_or(name, |known| known.as_str()).to_owned()
}

const EXAMPLES: &str = "\
Examples:
  baton imports -n 100
  baton imports --status failure --since 2h              what failed in the last two hours
  baton imports --table people --error Import.TooManyRejects
  baton imports --watch                                  live, until Ctrl-C
  baton imports --json | jq -r '.[] | select(.status == \"FAILURE\") | .id'";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_found_however_it_is_typed() {
        assert_eq!(as_written("import.tablemissing"), "Import.TableMissing");
        assert_eq!(as_written("Something.Else"), "Something.Else");
    }
}
