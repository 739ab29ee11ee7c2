//! `baton console`: serves the pages, until Ctrl-C or SIGTERM.

use std::process::ExitCode;

use ops::target::{Need, Target};
use web_console::{Address, Console, Guard, Server};

use crate::arguments::{Common, ConsoleArguments};
use crate::signals::Signals;
use crate::{output, upload_form};

pub(crate) async fn console(common: &Common, arguments: &ConsoleArguments) -> anyhow::Result<ExitCode> {
    let mut signals = Signals::listen()?;
    // First, so that a port that is taken is said before a stack is started.
    let address = Address::bind(arguments.listen, arguments.port).await?;
    let guard = Guard::new(address.local(), &arguments.host_names, arguments.token.text())?;
    let target = Target::open(&common.choice, Need::Look).await?;
    // Its buttons change things.
    output::say_where(&target.place);
    let url = guard.url();
    if common.json {
        output::json(&serde_json::json!({ "console": url, "token": guard.token_to_print() }))?;
    } else {
        output::line(&url);
        if let Some(token) = guard.token_to_print() {
            output::complain(&format!("visitors need this token: {token}"));
        }
        if target.is_at_rest {
            output::complain(&format!(
                "no stack is up, so nothing moves: this console only looks; `{}` has one too",
                common.command_line("up")
            ));
        }
        output::complain("Ctrl-C stops it.");
    }
    let server = Server::start(
        address,
        Console::new(&common.choice, target, guard, upload_form::form(), output::complain),
    );
    signals.received().await;
    server.stop().await;
    Ok(ExitCode::SUCCESS)
}
