//! `baton up`: the embedded stack, until Ctrl-C or SIGTERM.

use std::net::Ipv4Addr;
use std::process::ExitCode;

use local_stack::{Config, REGION, Session, Stack};
use ops::error::Usage;
use ops::target::{self, OfStack, Target, embedded_config, local, open_database};
use serde_json::json;
use web_console::{Address, Console, Guard, Server};
use worker::db::Database;

use crate::arguments::{Common, UpArguments};
use crate::signals::Signals;
use crate::{output, upload_form};

pub(crate) async fn up(common: &Common, arguments: &UpArguments) -> anyhow::Result<ExitCode> {
    local::check(&common.choice)?;
    if let Some(session) = Session::of_running_stack(&common.choice.data_dir)? {
        return Err(Usage(format!(
            "a stack is up on {} already, at {} (process {})",
            common.choice.data_dir.display(),
            session.endpoint,
            session.pid
        ))
        .into());
    }
    let asked = OfStack {
        port: arguments.port,
        allowed_tables: &arguments.allow_tables,
        maximum_imports: arguments.max_imports,
    };
    let config = embedded_config(&common.choice, &asked)?;
    output::say_where(&target::place(&common.choice));
    let database = open_database(&config.database_url)?;
    // Before anybody is told that the stack is up: whoever stops it must be heard.
    let mut signals = Signals::listen()?;
    let address = console_address(arguments).await?;
    let guard = Guard::new(address.local(), &[], arguments.console_token.text())?;
    let named = target::name_in_folder(&database, &common.choice.data_dir);
    let moved = arguments.database_moved;
    let stack = Stack::start(Config { database: named, is_database_moved: moved, ..config }).await?;
    announce(common, &stack, &database, &guard.url())?;
    let target = Target::of_own_stack(&common.choice, &stack, database).await;
    let console = Server::start(
        address,
        Console::new(&common.choice, target, guard, upload_form::form(), output::complain),
    );
    signals.received().await;
    let next = common.command_line("up");
    output::complain(&format!("stopping: running imports roll back and go on at the next `{next}`"));
    console.stop().await;
    stack.shutdown().await;
    Ok(ExitCode::SUCCESS)
}

/// Where the console is: beside the stack. Nobody has asked for the port after the stack's, so that another is as good where
/// it is taken.
async fn console_address(arguments: &UpArguments) -> anyhow::Result<Address> {
    let here = Ipv4Addr::LOCALHOST.into();
    if let Some(port) = arguments.console_port {
        return Address::bind(here, port).await;
    }
    let next = if arguments.port == 0 { 0 } else { arguments.port.checked_add(1).unwrap_or(0) };
    match Address::bind(here, next).await {
        Ok(address) => Ok(address),
        Err(_) => Address::bind(here, 0).await,
    }
}

fn announce(common: &Common, stack: &Stack, database: &Database, console: &str) -> anyhow::Result<()> {
    let (resources, keys) = (stack.resources(), stack.credentials());
    let environment = [
        ("AWS_ENDPOINT_URL", stack.endpoint()),
        ("AWS_REGION", REGION),
        ("AWS_DEFAULT_REGION", REGION),
        ("AWS_ACCESS_KEY_ID", &keys.access_key),
        ("AWS_SECRET_ACCESS_KEY", &keys.secret_key),
    ];
    if common.json {
        let environment: serde_json::Map<_, _> =
            environment.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
        return output::json(&json!({
            "endpoint": stack.endpoint(),
            "environment": environment,
            "resources": resources,
            "database": database.display_name(),
            "console": console,
        }));
    }
    // The environment alone on stdout, so that a shell can take it from a file or a pipe.
    output::complain(&format!("the stack is up at {}\n", stack.endpoint()));
    let lanes = resources.lane_queue_url.as_deref().map(|url| ("lanes", url));
    let upload = format!("s3://{}/imports/<table>/<name>.csv", resources.bucket);
    let rows = database.display_name();
    let others = [
        ("dead letters", resources.dead_letter_queue_url.as_str()),
        ("machine", &resources.import_state_machine_arn),
        ("upload", &upload),
        ("rows", &rows),
        ("console", console),
    ];
    for (label, value) in [("queue", resources.queue_url.as_str())].into_iter().chain(lanes).chain(others) {
        output::complain(&format!("  {label:<13} {value}"));
    }
    output::complain("\nFor the AWS CLI and the SDKs, in another terminal:\n");
    for (name, value) in environment {
        output::line(&format!("export {name}={value}"));
    }
    output::complain("\nCtrl-C stops it; nothing is lost.");
    Ok(())
}
