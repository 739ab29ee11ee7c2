//! The command line: verbs, what every verb takes, help. How a file is imported has a file of its own.

mod cancel;
mod common;
mod console;
mod dlq;
mod file;
mod imports;
mod logs;
mod redrive;
mod upkeep;

use std::ffi::OsStr;

use clap::{Args, Command, Parser, Subcommand};
use statemachine::JobId;

pub(crate) use cancel::CancelArguments;
pub(crate) use common::{Common, CommonArguments};
pub(crate) use console::{ConsoleArguments, ConsoleToken};
pub(crate) use dlq::{
    DlqArguments, DlqDropArguments, DlqFilters, DlqRedriveArguments, DlqShowArguments, DlqVerb,
};
pub(crate) use file::FileArguments;
pub(crate) use imports::ImportsArguments;
pub(crate) use logs::LogsArguments;
pub(crate) use redrive::RedriveArguments;
pub(crate) use upkeep::{CompletionsArguments, DoctorArguments, MigrateArguments};

/// Loads CSV files through a queue, a state machine and a container into a database.
#[derive(Parser)]
#[command(name = "baton", version, arg_required_else_help = true, after_help = EXAMPLES)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) common: CommonArguments,
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
  baton rejects people-20261123-101500-4f1c            its rejected rows, and why
  baton logs people-20261123-101500-4f1c               what its workers logged
  baton redrive people-20261123-101500-4f1c            run it again, once its cause is mended
  baton cancel people-20261123-101500-4f1c             stop it; its rows are rolled back
  baton dlq list                                       the messages of imports that failed
  baton console                                        all of this in the browser
  baton doctor                                         what is wrong with the set-up, and what to do
  baton imports --target prod                          on a deployment named in baton.toml

Exit codes: 0 done, 1 the import or the command failed, 2 wrong usage.
Data goes to stdout, everything else to stderr. NO_COLOR and CLICOLOR_FORCE are respected.";

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
    /// Show the rows of one import that were rejected, and why
    Rejects(RejectsArguments),
    /// Show what the workers of one import logged, each attempt apart
    Logs(LogsArguments),
    /// Run failed imports again, from where they failed
    Redrive(RedriveArguments),
    /// Stop imports that are under way; their rows are rolled back
    Cancel(CancelArguments),
    /// Examine the target: configuration, reachability, permissions, settings that contradict each other
    Doctor(DoctorArguments),
    /// Bring Baton's own tables in the database up to date
    Migrate(MigrateArguments),
    /// Print the completions of a shell
    Completions(CompletionsArguments),
    /// List, show, redrive or drop dead letters: the messages of imports that failed
    Dlq(DlqArguments),
    /// Serve the web console: see what runs and what failed, run it again
    Console(ConsoleArguments),
}

#[derive(Args)]
#[command(after_help = file::EXAMPLES)]
pub(crate) struct RunArguments {
    #[command(flatten)]
    pub(crate) file: FileArguments,
}

#[derive(Args)]
#[command(after_help = file::EXAMPLES)]
pub(crate) struct SubmitArguments {
    #[command(flatten)]
    pub(crate) file: FileArguments,
    /// Stay until the import has ended, and report
    #[arg(long, short)]
    pub(crate) follow: bool,
}

#[derive(Args)]
#[command(after_help = UP_EXAMPLES)]
pub(crate) struct UpArguments {
    /// The port to listen on, on 127.0.0.1; 0 takes a free one
    #[arg(long, value_name = "PORT", default_value_t = 4566)]
    pub(crate) port: u16,
    /// The tables that imports may write: names with commas between them, or * for all
    #[arg(long, value_name = "TABLES", default_value = "*")]
    pub(crate) allow_tables: String,
    /// How many imports may run at once, the others wait; what is redriven runs beside them; 0 for any number [default: as the last time, at first 0]
    #[arg(long, value_name = "N")]
    pub(crate) max_imports: Option<u32>,
    /// The port of the web console, on 127.0.0.1; 0 takes a free one [default: the one after --port, or a free one]
    #[arg(long, value_name = "PORT")]
    pub(crate) console_port: Option<u16>,
    /// The database that imports in DIR are for has another name now, and is this one: unfinished imports go on in it, and failed
    /// ones can be redriven
    #[arg(long)]
    pub(crate) database_moved: bool,
    #[command(flatten)]
    pub(crate) console_token: ConsoleToken,
}

#[derive(Args)]
#[command(after_help = SHOW_EXAMPLES)]
pub(crate) struct ShowArguments {
    /// The import's id, as `baton imports` lists it
    pub(crate) id: JobId,
}

#[derive(Args)]
#[command(after_help = REJECTS_EXAMPLES)]
pub(crate) struct RejectsArguments {
    /// The import's id, as `baton imports` lists it
    pub(crate) id: JobId,
    /// Write the rejects file to stdout as it is: the original rows, with line and reason in front
    #[arg(long, conflicts_with = "json")]
    pub(crate) csv: bool,
}

const UP_EXAMPLES: &str = "\
Examples:
  baton up                                       on port 4566, until Ctrl-C
  baton up --port 0 > environment                on a free port; `. ./environment` points the AWS CLI and SDKs at it
  baton up --allow-tables people,sales.orders    imports may write these tables alone
  baton up --max-imports 4                       four imports at a time";

const SHOW_EXAMPLES: &str = "\
Examples:
  baton show people-20261123-101500-4f1c
  baton show people-20261123-101500-4f1c --json | jq .execution.cause";

const REJECTS_EXAMPLES: &str = "\
Examples:
  baton rejects people-20261123-101500-4f1c                    line and reason of each rejected row
  baton rejects people-20261123-101500-4f1c --csv > bad.csv    the rows themselves, to be corrected and then
  baton run bad.csv --table people                             imported without line and reason
Give the options again that say how the file is read (--null, --encoding): the report names them.";

/// An empty variable counts as not set, as everywhere else: to clap it would be a value.
pub(crate) fn without_empty_variables(command: Command) -> Command {
    command.mut_args(|argument| match argument.get_env().map(is_empty) {
        Some(true) => argument.env(None::<&str>),
        _ => argument,
    })
}

#[expect(
    clippy::disallowed_methods,
    reason = "the variables of clap's own arguments, whatever they are called"
)]
fn is_empty(variable: &OsStr) -> bool {
    std::env::var_os(variable).is_some_and(|value| value.is_empty())
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
