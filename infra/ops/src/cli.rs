//! The command line: verbs, options, help.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use statemachine::{ImportId, RejectLimit};
use tracing_subscriber::EnvFilter;

/// Loads CSV files through a queue, a state machine and a container into a database.
#[derive(Parser)]
#[command(name = "baton", version, arg_required_else_help = true, after_help = EXAMPLES)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) common: Common,
    #[command(subcommand)]
    pub(crate) verb: Verb,
}

const EXAMPLES: &str = "\
Examples:
  baton run people.csv --table people --create-table   import one file, start to end
  baton up                                             start the embedded stack and stay
  baton submit people.csv --table people --follow      the same import through a stack that is up
  baton imports                                        the latest imports
  baton show people-20261123-101500-4f1c               one import, state by state

Exit codes: 0 done, 1 the import or the command failed, 2 wrong usage.";

/// What every verb takes.
#[derive(Args)]
pub(crate) struct Common {
    /// The folder of the embedded stack: its queues, executions, files and, unless DATABASE_URL says otherwise, the rows
    #[arg(long, global = true, value_name = "DIR", default_value = ".baton", env = "BATON_DATA_DIR")]
    pub(crate) data_dir: PathBuf,
    /// The database to import into: sqlite:FILE or postgres://USER@HOST/NAME [default: sqlite:DIR/baton.db]
    #[arg(long, global = true, value_name = "URL", env = "DATABASE_URL", hide_env_values = true)]
    pub(crate) database_url: Option<String>,
    /// Print JSON on stdout instead of text
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Say more on stderr: -v what the stack does, -vv in detail
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,
}

impl Common {
    pub(crate) fn log_filter(&self) -> EnvFilter {
        EnvFilter::new(match self.verbose {
            0 => "error",
            1 => "warn,local_stack=info,baton=info",
            _ => "info,local_stack=debug,baton=debug",
        })
    }
}

#[derive(Subcommand)]
pub(crate) enum Verb {
    /// Import one file, start to end, on the embedded stack
    Run(RunArguments),
    /// Start the embedded stack and stay, until Ctrl-C
    Up(UpArguments),
    /// Send one file through the queue of the stack that is up
    Submit(SubmitArguments),
    /// List imports, newest first
    Imports(ImportsArguments),
    /// Show one import: its row, its execution state by state, its message
    Show(ShowArguments),
}

/// One file and how to import it.
#[derive(Args)]
pub(crate) struct FileArguments {
    /// The CSV file
    pub(crate) file: PathBuf,
    /// The table to import into
    #[arg(long, short, value_name = "TABLE")]
    pub(crate) table: String,
    /// Make the table from the header and a sample of the values, where it is missing
    #[arg(long)]
    pub(crate) create_table: bool,
    /// How many rows may be rejected before the import fails and leaves the table as it was
    #[arg(long, value_name = "N|N%", default_value_t = RejectLimit::default())]
    pub(crate) max_rejects: RejectLimit,
    /// Leave out columns that the table does not have
    #[arg(long)]
    pub(crate) ignore_unknown: bool,
    /// The import's id: 1 to 40 characters of A-Za-z0-9_- [default: made from the table and the time]
    #[arg(long, value_name = "ID")]
    pub(crate) id: Option<ImportId>,
}

#[derive(Args)]
pub(crate) struct RunArguments {
    #[command(flatten)]
    pub(crate) file: FileArguments,
}

#[derive(Args)]
pub(crate) struct SubmitArguments {
    #[command(flatten)]
    pub(crate) file: FileArguments,
    /// Stay until the import has ended, and report
    #[arg(long, short)]
    pub(crate) follow: bool,
}

#[derive(Args)]
pub(crate) struct UpArguments {
    /// The port to listen on, on 127.0.0.1; 0 takes a free one
    #[arg(long, value_name = "PORT", default_value_t = 4566)]
    pub(crate) port: u16,
    /// The tables that imports may write: names with commas between them, or * for all
    #[arg(long, value_name = "TABLES", default_value = "*")]
    pub(crate) allow_tables: String,
}

#[derive(Args)]
pub(crate) struct ImportsArguments {
    /// How many to list
    #[arg(long, short = 'n', value_name = "N", default_value_t = 20)]
    pub(crate) limit: u32,
}

#[derive(Args)]
pub(crate) struct ShowArguments {
    /// The import's id, as `baton imports` lists it
    pub(crate) id: ImportId,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
