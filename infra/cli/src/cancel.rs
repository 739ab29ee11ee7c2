//! `baton cancel`: stops the open executions of imports. Says first what will happen, and asks; then stays until the
//! executions have ended, the workers have left and the messages lie in the dead-letter queue.
//!
//! What decides and acts returns values ([`ops::cancel`]); what prints and asks is here.

mod who;

use std::io::{BufRead as _, IsTerminal as _, Write as _};
use std::process::ExitCode;

use anyhow::Context as _;
use ops::cancel::outcome::CancelOutcome;
use ops::cancel::plan::{self, Plan};
use ops::cancel::stop;
use ops::error::{Usage, no_such_import};
use ops::target::{Need, Target};

use crate::arguments::{CancelArguments, Common};
use crate::signals::Signals;
use crate::{output, unfinished};

pub(crate) async fn cancel(common: &Common, arguments: &CancelArguments) -> anyhow::Result<ExitCode> {
    let target = Target::open(&common.choice, Need::Look).await?;
    output::say_where(&target.place);
    let planned = confirmed(common, arguments, &target).await;
    // What lies in the folder of a stack that is down has to move, to be stopped and dead-lettered.
    let mut target = match &planned {
        Ok(Some(plans)) if target.is_embedded() && plans.iter().any(Plan::can_be_cancelled) => {
            let target = target.moving(&common.choice).await?;
            let meant: Vec<_> = plans.iter().map(|plan| plan.import_id.as_str()).collect();
            unfinished::say_what_goes_on(common, &target, &meant).await;
            target
        }
        _ => target,
    };
    let ended = match planned {
        Ok(Some(plans)) => until_interrupted(common, &mut target, plans).await,
        Ok(None) => Ok(ExitCode::FAILURE),
        Err(error) => Err(error),
    };
    target.close().await;
    ended
}

/// What is to be done, once that was said and confirmed; `None` where the answer was no.
async fn confirmed(
    common: &Common,
    arguments: &CancelArguments,
    target: &Target,
) -> anyhow::Result<Option<Vec<Plan>>> {
    let mut ids = arguments.ids.clone();
    ids.sort();
    ids.dedup();
    let plans = plan::plans(target, &ids, &|verb| common.command_line(verb)).await?;
    if let [Plan { is_known: false, import_id, .. }] = plans.as_slice() {
        return Err(no_such_import(&common.choice.commands, import_id).into());
    }
    if !plans.iter().any(Plan::can_be_cancelled) || arguments.yes {
        return Ok(Some(plans));
    }
    let command = |verb: &str, id: &str| common.command(verb, id);
    for plan in &plans {
        plan.lines(&command).iter().for_each(|line| output::complain(line));
    }
    if !(std::io::stdin().is_terminal() && output::stderr_is_terminal()) {
        return Err(Usage("nothing was done; --yes cancels".to_owned()).into());
    }
    let is_confirmed = tokio::task::spawn_blocking(ask).await??;
    if !is_confirmed {
        output::complain("nothing was done");
    }
    Ok(is_confirmed.then_some(plans))
}

fn ask() -> anyhow::Result<bool> {
    let mut stderr = std::io::stderr().lock();
    write!(stderr, "\nCancel? [y/N] ").and_then(|()| stderr.flush()).context("failed to ask")?;
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer).context("failed to read the answer")?;
    Ok(matches!(answer.trim().to_lowercase().as_str(), "y" | "yes"))
}

async fn until_interrupted(
    common: &Common,
    target: &mut Target,
    plans: Vec<Plan>,
) -> anyhow::Result<ExitCode> {
    let mut signals = Signals::listen()?;
    tokio::select! {
        ended = Box::pin(act(common, target, plans)) => ended,
        () = signals.received() => anyhow::bail!(
            "interrupted; what was stopped stays stopped, and `{}` tells how it ended",
            common.command_line("show ID")
        ),
    }
}

/// A `baton run` whose import is cancelled ends with it, and its stack may end before all was looked at here.
async fn to_the_end(
    common: &Common,
    target: &mut Target,
    plan: &Plan,
    stopped: Result<Vec<String>, String>,
) -> anyhow::Result<CancelOutcome> {
    loop {
        match stop::to_the_end(target, plan, stopped.clone()).await {
            Ok(outcome) => return Ok(outcome),
            Err(error) => *target = target.successor(&common.choice).await?.ok_or(error)?,
        }
    }
}

async fn act(common: &Common, target: &mut Target, plans: Vec<Plan>) -> anyhow::Result<ExitCode> {
    let by = who::at_this_terminal();
    let mut outcomes = Vec::new();
    // All are stopped before the first is waited for.
    let mut stopped = Vec::new();
    for plan in &plans {
        stopped.push(stop::stop(target, plan, &by).await);
    }
    for (plan, stopped) in plans.iter().zip(stopped) {
        outcomes.push(to_the_end(common, target, plan, stopped).await?);
    }
    if common.json {
        output::json(&outcomes)?;
    } else {
        let command = |verb: &str, id: &str| common.command(verb, id);
        for outcome in &outcomes {
            outcome.lines(&command).iter().for_each(|line| output::line(line));
        }
    }
    Ok(if outcomes.iter().all(CancelOutcome::is_well) { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
