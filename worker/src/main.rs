//! The worker: one import per process. Configuration from the environment, the result by the task token.

use anyhow::Result;
use statemachine::ExitCode;
use tracing::Instrument;
use worker::config::{Config, MigrateConfig};
use worker::db::WriteBack;
use worker::import::CsvImport;
use worker::job::{Patience, run, shutdown, span};
use worker::{aws, command, imports};

fn main() -> std::process::ExitCode {
    let arguments: Vec<_> = std::env::args_os().skip(1).collect();
    let result = match arguments.iter().map(|argument| argument.to_str()).collect::<Vec<_>>()[..] {
        [] => import(),
        [Some("migrate")] => migrate(),
        [Some("--version")] => Ok(command::say(concat!("worker ", env!("CARGO_PKG_VERSION")))),
        [Some("--help")] => Ok(command::say(command::USAGE)),
        _ => Ok(command::refuse(command::USAGE)),
    };
    result.unwrap_or_else(|error| command::refuse(&format!("{error:#}"))).into()
}

fn import() -> Result<ExitCode> {
    let mut config = Config::from_env()?;
    logging::start(&config.log);
    let span = span(&config.job, &config.import.import_id);
    span.in_scope(|| tracing::debug!(?config, "Read the configuration"));
    let runtime = tokio::runtime::Runtime::new()?;
    let write_back = WriteBack::of(&config.job.database);
    let work = async {
        let (shutdown, aws) = (shutdown::requested()?, aws::config().await);
        config.job.database = config.job.database.with_credentials(&aws, runtime.handle());
        // THE WORK: another long piece of work behind the same queue is another `Work` in this one line.
        let work = CsvImport {
            allowed: config.allowed_tables.clone(),
            s3: aws::s3(&aws, config.s3_path_style),
            runtime: runtime.handle().clone(),
        };
        let asked = imports::asked(&config.import);
        let step_functions = aws::step_functions(&aws);
        Ok(run(&config.job, &asked, step_functions, Patience::default(), shutdown, work).await)
    };
    let code = runtime.block_on(work.instrument(span));
    // Work that did not stop when it was asked must not hold up the process: its transaction ends with its connection.
    runtime.shutdown_background();
    drop(write_back);
    code
}

fn migrate() -> Result<ExitCode> {
    let MigrateConfig { mut database, log } = MigrateConfig::from_env()?;
    logging::start(&log);
    let runtime = tokio::runtime::Runtime::new()?;
    if database.needs_credentials() {
        database = database.with_credentials(&runtime.block_on(aws::config()), runtime.handle());
    }
    Ok(command::migrate(&database))
}
