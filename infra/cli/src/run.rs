//! `baton run`: one import from the command line to the report, on a stack that lives as long as the command. Where one is up
//! on the folder already, the command uses it, and takes its place when it ends.

use std::process::ExitCode;
use std::time::Instant;

use ops::submit::{self, File, Interrupted, Prepared, Sending};
use ops::target::{Need, Target, local};
use statemachine::JobId;
use tokio_util::sync::CancellationToken;

use crate::arguments::{Common, RunArguments};
use crate::signals::Signals;
use crate::submit::report_done_before;
use crate::{follow, output, unfinished};

pub(crate) async fn run(common: &Common, arguments: &RunArguments) -> anyhow::Result<ExitCode> {
    local::check(&common.choice)?;
    let file = arguments.file.wanted()?;
    submit::check(&file.path)?;
    let mut signals = Signals::listen()?;
    let mut target = Target::open(&common.choice, Need::Work).await?;
    if let Err(other) = local::expect_own_database(&common.choice, &target) {
        target.close().await;
        return Err(other);
    }
    output::say_where(&target.place);
    let meant: Vec<_> = arguments.file.id.iter().map(JobId::as_str).collect();
    unfinished::say_what_goes_on(common, &target, &meant).await;
    let ended = import(common, arguments, &file, &mut target, &mut signals).await;
    target.close().await;
    ended
}

async fn import(
    common: &Common,
    arguments: &RunArguments,
    file: &File,
    target: &mut Target,
    signals: &mut Signals,
) -> anyhow::Result<ExitCode> {
    let stop = CancellationToken::new();
    let id = arguments.file.import_id()?;
    let sending = send(common, &id, file, target, &stop);
    let submitted = match signals.heard_within(&stop, Box::pin(sending)).await? {
        Sending::Submitted(submitted) => submitted,
        Sending::Done(row) => return report_done_before(common, target, &row).await,
    };
    // Whatever becomes of stacks meanwhile.
    let started = Instant::now();
    loop {
        let ended = tokio::select! {
            ended = follow::to_the_end(common, target, &submitted, started) => ended,
            () = interrupted(signals, &stop) => {
                return Err(unfinished::interruption(common, target, &submitted, signals).await);
            }
        };
        let Err(error) = ended else { return ended };
        *target = target.successor(&common.choice).await?.ok_or(error)?;
        output::complain(&format!(
            "the stack that was up here has ended; the import {} goes on",
            submitted.import_id
        ));
    }
}

/// Waits for a signal, unless there was one that came too late to keep the import from being begun.
async fn interrupted(signals: &mut Signals, stop: &CancellationToken) {
    tokio::select! {
        () = signals.received() => {}
        () = stop.cancelled() => {}
    }
}

/// Sends the file: again from where it was where the stack ended meanwhile. A message that was taken by the stack that ended
/// is in the queue twice then, and its import runs once.
async fn send(
    common: &Common,
    id: &JobId,
    file: &File,
    target: &mut Target,
    stop: &CancellationToken,
) -> anyhow::Result<Sending> {
    let made = loop {
        match submit::prepare(&common.choice.commands, target, id, file, stop, output::complain).await {
            Ok(Prepared::ToBeAsked(made)) => break made,
            Ok(Prepared::Settled(sending)) => return Ok(sending),
            Err(error) if error.is::<Interrupted>() => return Err(error),
            Err(error) => *target = target.successor(&common.choice).await?.ok_or(error)?,
        }
    };
    loop {
        let error = match submit::ask(target, id).await {
            Ok(execution_arn) => return Ok(Sending::of(id, execution_arn, made)),
            Err(error) => error,
        };
        match target.successor(&common.choice).await? {
            Some(next) => *target = next,
            None => {
                submit::undo(target, made, id, output::complain).await;
                return Err(error);
            }
        }
    }
}
