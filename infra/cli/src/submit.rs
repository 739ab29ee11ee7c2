//! `baton submit`: sends one file through the stack that is up, and stays with it where that is wished.

use std::process::ExitCode;
use std::time::Instant;

use ops::show::picture;
use ops::submit::{self, Sending};
use ops::target::Target;
use serde_json::json;
use statemachine::JobId;
use tokio_util::sync::CancellationToken;
use worker::imports::ImportRow;

use crate::arguments::{Common, SubmitArguments};
use crate::signals::Signals;
use crate::{follow, output, report, unfinished};

pub(crate) async fn submit(common: &Common, arguments: &SubmitArguments) -> anyhow::Result<ExitCode> {
    let file = arguments.file.wanted()?;
    submit::check(&file.path)?;
    let mut signals = Signals::listen()?;
    let target =
        Target::of_running_stack(&common.choice, &format!("import with `{}`", common.command_line("run")))
            .await?;
    output::say_where(&target.place);
    let stop = CancellationToken::new();
    let id = arguments.file.import_id()?;
    let sending = submit::send(&common.choice.commands, &target, &id, &file, &stop, output::complain);
    let submitted = match signals.heard_within(&stop, Box::pin(sending)).await? {
        Sending::Submitted(submitted) => submitted,
        Sending::Done(row) if arguments.follow => return report_done_before(common, &target, &row).await,
        Sending::Done(row) => return tell(common, &row),
    };
    if arguments.follow {
        return tokio::select! {
            ended = follow::to_the_end(common, &target, &submitted, Instant::now()) => match ended {
                Err(error) if target.has_ended().await => {
                    let id = submitted.import_id.as_str();
                    Err(error.context(unfinished::without_its_stack(common, &format!("show {id}"))))
                }
                ended => ended,
            },
            () = signals.received() => {
                Err(unfinished::interruption(common, &target, &submitted, &mut signals).await)
            }
        };
    }
    if submitted.made.is_some() {
        output::complain("the table stays if the import fails; `--follow` would drop it then");
    }
    if common.json {
        output::json(&json!({
            "import_id": submitted.import_id,
            "execution_arn": submitted.execution_arn,
            "sent": submitted.is_sent,
        }))?;
    } else {
        output::line(submitted.import_id.as_str());
        let show = common.command("show", submitted.import_id.as_str());
        let done = if submitted.is_sent { "submitted" } else { "nothing was sent" };
        output::complain(&format!("{done}; `{show}` tells how it goes"));
    }
    Ok(ExitCode::SUCCESS)
}

/// The report of an import that was done before, and that nothing was done now.
pub(crate) async fn report_done_before(
    common: &Common,
    target: &Target,
    row: &ImportRow,
) -> anyhow::Result<ExitCode> {
    let id: JobId = row.id.parse()?;
    let picture = picture::gather(&common.choice.commands, target, &id, None).await?;
    if common.json {
        let mut document = serde_json::to_value(&picture)?;
        document["done_before"] = json!(picture.import.finished_at);
        output::json(&document)?;
    } else {
        report::print_done_before(common, &picture, &target.database.display_name());
    }
    Ok(ExitCode::SUCCESS)
}

/// The same for those who do not follow it.
fn tell(common: &Common, row: &ImportRow) -> anyhow::Result<ExitCode> {
    let finished_at = row.finished_at.map(|at| at.and_utc());
    if common.json {
        output::json(&json!({
            "import_id": row.id,
            "execution_arn": row.execution_arn,
            "sent": false,
            "done_before": finished_at,
        }))?;
    } else {
        output::line(&row.id);
        let when = finished_at.map(|at| format!(" on {} UTC", at.format("%Y-%m-%d %H:%M:%S")));
        let show = common.command("show", &row.id);
        output::complain(&format!(
            "it was done before{}, with the same file; nothing was sent now; `{show}` tells how it went",
            when.unwrap_or_default()
        ));
    }
    Ok(ExitCode::SUCCESS)
}
