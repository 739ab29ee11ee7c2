#![doc = include_str!("../README.md")]

mod advice;
mod bar;
mod cancel;
mod cli;
mod console;
mod dlq;
mod error;
mod findings;
mod follow;
mod imports;
mod output;
mod redrive;
mod rejects;
mod report;
mod run;
mod show;
mod signals;
mod submit;
mod target;
mod terminal;
mod up;

use std::process::ExitCode;

use clap::Parser as _;

use crate::cli::{Cli, Verb};

#[tokio::main]
async fn main() -> ExitCode {
    // clap ends the process by itself for --help (0) and for wrong usage (2).
    let cli = Cli::parse();
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_env_filter(cli.common.log_filter())
        .with_target(false)
        .compact()
        .init();
    let ended = match &cli.verb {
        Verb::Run(arguments) => run::run(&cli.common, arguments).await,
        Verb::Up(arguments) => up::up(&cli.common, arguments).await,
        Verb::Submit(arguments) => submit::submit(&cli.common, arguments).await,
        Verb::Imports(arguments) => imports::imports(&cli.common, arguments).await,
        Verb::Show(arguments) => show::show(&cli.common, arguments).await,
        Verb::Rejects(arguments) => rejects::rejects(&cli.common, arguments).await,
        Verb::Redrive(arguments) => redrive::redrive(&cli.common, arguments).await,
        Verb::Cancel(arguments) => cancel::cancel(&cli.common, arguments).await,
        Verb::Dlq(arguments) => dlq::dlq(&cli.common, &arguments.verb).await,
        Verb::Console(arguments) => console::console(&cli.common, arguments).await,
    };
    ended.unwrap_or_else(|error| error::explain(&error))
}
