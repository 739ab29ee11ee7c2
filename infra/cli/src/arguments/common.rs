//! What every verb takes, and what is made of it: which system the verb talks to.

use std::path::PathBuf;

use clap::parser::ValueSource;
use clap::{ArgMatches, Args};
use ops::target::Choice;
use ops::target::choice::{self, Asked, Said};
use tracing_subscriber::EnvFilter;

/// What stands on the command line.
#[derive(Args)]
pub(crate) struct CommonArguments {
    /// The folder of the embedded stack: its queues, executions, files and, unless DATABASE_URL says otherwise, the rows
    #[arg(long, global = true, value_name = "DIR", default_value = ".baton", env = "BATON_DATA_DIR")]
    pub(crate) data_dir: PathBuf,
    /// The database to import into: sqlite:FILE or postgres://USER@HOST/NAME [default: sqlite:DIR/baton.db]
    #[arg(long, global = true, value_name = "URL", env = "DATABASE_URL", hide_env_values = true)]
    pub(crate) database_url: Option<String>,
    /// The system to work on, by its name in baton.toml [default: the file's own, or the embedded stack in DIR]
    #[arg(long, global = true, value_name = "NAME", env = "BATON_TARGET")]
    pub(crate) target: Option<String>,
    /// The file that names targets [default: baton.toml, here or in a folder above]
    #[arg(long, global = true, value_name = "FILE", env = "BATON_CONFIG")]
    pub(crate) config: Option<PathBuf>,
    /// Print JSON on stdout instead of text
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Say more on stderr: -v what the stack does, -vv in detail
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,
}

/// What every verb goes by.
#[derive(Clone)]
pub(crate) struct Common {
    /// The system to work on.
    pub(crate) choice: Choice,
    pub(crate) json: bool,
}

impl Common {
    /// The command line of a verb, as it can be typed here.
    pub(crate) fn command_line(&self, verb: &str) -> String {
        self.choice.commands.line(verb)
    }

    /// The command line of a verb for an import, as it can be typed here.
    pub(crate) fn command(&self, verb: &str, id: &str) -> String {
        self.choice.commands.of(verb, id)
    }
}

impl CommonArguments {
    /// What is logged before the target is known.
    pub(crate) fn log_filter(&self) -> EnvFilter {
        EnvFilter::new(match self.verbose {
            // Whose upload breaks off knows it; what the S3 inside would say of it is an answer that nobody gets.
            0 => "error,s3s::service=off",
            1 => "warn,local_stack=info,baton=info,web_console=info,ops=info",
            _ => "info,local_stack=debug,baton=debug,web_console=debug,ops=debug",
        })
    }

    /// Finds out which system is meant. `matches` tells what was typed and what the environment says.
    ///
    /// # Errors
    /// `baton.toml` cannot be read or is wrong, there is no such target, or two are asked for at once.
    pub(crate) fn resolve(&self, matches: &ArgMatches) -> anyhow::Result<Common> {
        let said = |name: &str| match matches.value_source(name) {
            Some(ValueSource::CommandLine) => Said::Typed,
            Some(ValueSource::EnvVariable) => Said::InEnvironment,
            _ => Said::Nowhere,
        };
        let program = std::env::args().next().unwrap_or_else(|| "baton".to_owned());
        let choice = choice::choose(&Asked {
            program: &program,
            target: (self.target.as_deref(), said("target")),
            config: (self.config.as_deref(), said("config")),
            data_dir: (&self.data_dir, said("data_dir")),
            database_url: (self.database_url.as_deref(), said("database_url")),
        })?;
        Ok(Common { choice, json: self.json })
    }
}
