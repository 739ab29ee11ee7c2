#![doc = include_str!("../README.md")]

mod arguments;
mod bar;
mod cancel;
mod console;
mod dlq;
mod doctor;
mod explain;
mod follow;
mod imports;
mod logs;
mod migrate;
mod output;
mod redrive;
mod rejects;
mod report;
mod run;
mod show;
mod signals;
mod submit;
mod unfinished;
mod up;
mod upload_form;

use std::process::ExitCode;

use clap::{CommandFactory as _, FromArgMatches as _};

use crate::arguments::{Cli, Common, CompletionsArguments, Verb};

#[tokio::main]
async fn main() -> ExitCode {
    // clap ends the process by itself for --help (0) and for wrong usage (2).
    let matches = arguments::without_empty_variables(Cli::command()).get_matches();
    let cli = Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_env_filter(cli.common.log_filter())
        .with_ansi(output::stderr_has_colours())
        .with_target(false)
        // It would say on stderr that stderr has no reader any more, and panic because it cannot.
        .log_internal_errors(false)
        .compact()
        .init();
    let common = cli.common.resolve(&matches);
    let ended = match (&cli.verb, common) {
        // These two have their say whatever is wrong with the configuration.
        (Verb::Completions(arguments), _) => completions(arguments),
        (Verb::Doctor(_), common) => {
            Box::pin(doctor::doctor(common.map(|common| common.choice), cli.common.json)).await
        }
        (verb, Ok(common)) => Box::pin(act(&common, verb)).await,
        (_, Err(error)) => Err(error),
    };
    ended.unwrap_or_else(|error| explain::explain(&error))
}

async fn act(common: &Common, verb: &Verb) -> anyhow::Result<ExitCode> {
    match verb {
        Verb::Run(arguments) => Box::pin(run::run(common, arguments)).await,
        Verb::Up(arguments) => up::up(common, arguments).await,
        Verb::Submit(arguments) => submit::submit(common, arguments).await,
        Verb::Imports(arguments) => imports::imports(common, arguments).await,
        Verb::Show(arguments) => Box::pin(show::show(common, arguments)).await,
        Verb::Rejects(arguments) => rejects::rejects(common, arguments).await,
        Verb::Redrive(arguments) => Box::pin(redrive::redrive(common, arguments)).await,
        Verb::Dlq(arguments) => dlq::dlq(common, &arguments.verb).await,
        Verb::Cancel(arguments) => Box::pin(cancel::cancel(common, arguments)).await,
        Verb::Logs(arguments) => logs::logs(common, arguments).await,
        Verb::Console(arguments) => Box::pin(console::console(common, arguments)).await,
        Verb::Migrate(arguments) => migrate::migrate(common, arguments),
        Verb::Completions(_) | Verb::Doctor(_) => Ok(ExitCode::SUCCESS),
    }
}

fn completions(arguments: &CompletionsArguments) -> anyhow::Result<ExitCode> {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut Cli::command(), "baton", &mut script);
    output::raw(&script)?;
    Ok(ExitCode::SUCCESS)
}
