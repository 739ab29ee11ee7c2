//! `baton redrive`: runs failed imports again, each in its own execution from where that failed, follows them to the end
//! and deletes the dead letters of those that have succeeded.

use std::process::ExitCode;

use ops::advice;
use ops::dlq::{self, delete_succeeded, queue};
use ops::error::Usage;
use ops::executions::{Execution, SUCCEEDED, Standing};
use ops::numbers;
use ops::redrive::follow::{self, Seen};
use ops::redrive::outcome::{RedriveOutcome, RedriveResult};
use ops::redrive::selection::{self, Found, Wanted};
use ops::redrive::start;
use ops::target::{Need, Target};
use ops::text::{self, visible};
use statemachine::{Findings, JobId};
use worker::ledger::JobStatus;

use crate::arguments::{Common, RedriveArguments};
use crate::bar::Bar;
use crate::signals::Signals;
use crate::{output, unfinished};

pub(crate) async fn redrive(common: &Common, arguments: &RedriveArguments) -> anyhow::Result<ExitCode> {
    let wanted = arguments.wanted();
    let is_only_asked = wanted.is_bulk() && !arguments.yes;
    let target = if arguments.no_wait && !is_only_asked {
        // One inside this command would end with it, and what it has redriven would rest.
        Target::of_running_stack(&common.choice, "leave out --no-wait: then this command runs them itself")
            .await?
    } else {
        Target::open(&common.choice, Need::Look).await?
    };
    output::say_where(&target.place);
    let found = selection::executions(&common.choice.commands, &target, &wanted).await;
    let has_to_move = found.as_ref().is_ok_and(|found| found.executions.iter().any(Execution::has_to_move));
    let target = if has_to_move && !is_only_asked { target.moving(&common.choice).await? } else { target };
    let ended = match found {
        Ok(found) if is_only_asked => plan(common, &target, &found).await,
        Ok(found) => until_interrupted(common, &wanted, arguments.no_wait, &target, found).await,
        Err(error) => Err(error),
    };
    target.close().await;
    ended
}

async fn until_interrupted(
    common: &Common,
    wanted: &Wanted,
    no_wait: bool,
    target: &Target,
    found: Found,
) -> anyhow::Result<ExitCode> {
    let mut signals = Signals::listen()?;
    tokio::select! {
        ended = Box::pin(act(common, wanted, no_wait, target, found)) => match ended {
            Err(error) if target.has_ended().await => {
                Err(error.context(unfinished::without_its_stack(common, "imports")))
            }
            ended => ended,
        },
        () = signals.received() => {
            let next = || format!(" with the next `{}`", common.command_line("up"));
            anyhow::bail!(
                "interrupted; what has not ended goes on{}, and `{}` tells how it went",
                if target.is_embedded() { next() } else { String::new() },
                common.command_line("imports")
            )
        }
    }
}

/// Says what a bulk redrive would do.
async fn plan(common: &Common, target: &Target, found: &Found) -> anyhow::Result<ExitCode> {
    say_passed_over(common, found);
    if may_have_dead_letters(target, &found.brought_since).await? {
        output::complain(&match found.brought_since.len() {
            1 => "of 1 execution whose import has succeeded since, the dead letter would be deleted, if there is one"
                .to_owned(),
            many => format!(
                "of {} whose imports have succeeded since, dead letters would be deleted, if there are any",
                executions(many)
            ),
        });
    }
    let (redrivable, others) = by_objection(common, &found.executions);
    if !others.is_empty() {
        output::complain(&format!("{} would not be redriven:", executions(others.len())));
        others.iter().for_each(|line| output::complain(line));
    }
    if redrivable.is_empty() {
        return nothing(common);
    }
    output::complain(&format!("{} would be redriven:\n", executions(redrivable.len())));
    table(&redrivable).iter().for_each(|line| output::complain(line));
    Err(Usage("nothing was done; --yes redrives them".to_owned()).into())
}

async fn act(
    common: &Common,
    wanted: &Wanted,
    no_wait: bool,
    target: &Target,
    found: Found,
) -> anyhow::Result<ExitCode> {
    forget_brought_since(target, &found.brought_since).await?;
    if found.executions.is_empty() {
        match found.unknown.as_slice() {
            [] => {
                say_passed_over(common, &found);
                return nothing(common);
            }
            [(id, why), ..] => return Err(Usage(format!("cannot redrive {id}: {why}")).into()),
        }
    }
    if wanted.is_bulk() {
        say_passed_over(common, &found);
        let (redrivable, _) = by_objection(common, &found.executions);
        if !redrivable.is_empty() {
            output::complain(&format!("redriving {}:\n", executions(redrivable.len())));
            table(&redrivable).iter().for_each(|line| output::complain(line));
            output::complain("");
        }
    }

    let command = |verb: &str, id: &str| common.command(verb, id);
    let mut outcomes: Vec<_> =
        found.unknown.into_iter().map(|(id, why)| RedriveOutcome::unknown(&id, why)).collect();
    let meant: Vec<_> = found.executions.iter().map(Execution::called).collect();
    unfinished::say_what_goes_on(common, target, &meant).await;
    let (resumed, others) = parted(target, found.executions);
    let start::Started { redriven, others } = start::start(target, others, &command).await;
    outcomes.extend(others);
    if no_wait {
        outcomes.extend(redriven.iter().map(RedriveOutcome::left));
        return print(common, target, &mut outcomes);
    }
    let started = start::Started { redriven: [resumed, redriven].concat(), others: outcomes };
    let (mut outcomes, unseen) = until_all_have_ended(target, started).await?;
    if let Some(behind) = dlq::selection::behind(unseen) {
        output::complain(&format!(
            "{behind}; a dead letter of what has succeeded may be among them, which does no harm"
        ));
    }
    print(common, target, &mut outcomes)
}

/// Stays with executions until they have ended and are settled. A bar shows how far they are.
async fn until_all_have_ended(
    target: &Target,
    started: start::Started,
) -> anyhow::Result<(Vec<RedriveOutcome>, usize)> {
    let mut bar = match follow::only_one(&started.redriven) {
        Some(_) => Bar::new(),
        None => Bar::of_several(started.redriven.len()),
    };
    let mut show = |seen: Seen<'_>| match seen {
        Seen::Row(row) => bar.show(row),
        Seen::Ended(number) => bar.show_ended(number),
        Seen::AllEnded => bar.clear(),
    };
    start::settle(target, started, Some(&mut show)).await
}

/// Deletes the dead letters of executions whose imports have succeeded since: nobody has to do anything about them.
async fn forget_brought_since(target: &Target, brought: &[Execution]) -> anyhow::Result<()> {
    if may_have_dead_letters(target, brought).await? {
        let arns: Vec<_> = brought.iter().map(|execution| execution.arn.clone()).collect();
        let deleted: usize = delete_succeeded::dead_letters_of(target, &arns).await?.0.values().sum();
        match deleted {
            0 => {}
            1 => output::complain("deleted 1 dead letter: its import has succeeded since"),
            many => output::complain(&format!(
                "deleted {} dead letters: their imports have succeeded since",
                numbers::count(many as u64)
            )),
        }
    }
    Ok(())
}

async fn may_have_dead_letters(target: &Target, brought: &[Execution]) -> anyhow::Result<bool> {
    if brought.is_empty() {
        return Ok(false);
    }
    let letters = queue::count(target).await?;
    Ok(letters.visible + letters.in_flight > 0)
}

/// The executions that the stack inside this command goes on with by itself, which is said, and all others.
fn parted(target: &Target, executions: Vec<Execution>) -> (Vec<Execution>, Vec<Execution>) {
    let goes_on = |execution: &Execution| target.is_embedded() && execution.standing == Standing::Running;
    let (resumed, others): (Vec<_>, Vec<_>) = executions.into_iter().partition(goes_on);
    for execution in &resumed {
        output::complain(&format!(
            "{} was not finished here, and needs no redrive: this command goes on with it to its end",
            visible(execution.called())
        ));
    }
    (resumed, others)
}

fn print(common: &Common, target: &Target, outcomes: &mut [RedriveOutcome]) -> anyhow::Result<ExitCode> {
    for outcome in outcomes.iter_mut() {
        let findings = add_row(target, outcome)?;
        if !common.json {
            let id = outcome.import_id.as_deref().unwrap_or_default();
            let command = |verb: &str| common.command(verb, id);
            let error = outcome.error.as_deref().unwrap_or_default();
            let cause = outcome.cause.as_deref().unwrap_or_default();
            let failed = advice::Failed { import_id: id, name: error, cause, findings: findings.as_ref() };
            let advice = advice::for_failure(failed, &command);
            outcome.lines(advice.as_deref()).iter().for_each(|line| output::line(line));
        }
    }
    if common.json {
        output::json(&outcomes)?;
    }
    Ok(if outcomes.iter().all(RedriveOutcome::is_well) { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Adds what the import's row tells; returns what was found in the file.
fn add_row(target: &Target, outcome: &mut RedriveOutcome) -> anyhow::Result<Option<Findings>> {
    let Some(import_id) = outcome.import_id.as_deref().and_then(|id| id.parse::<JobId>().ok()) else {
        return Ok(None);
    };
    let Some(row) = worker::imports::find(&mut target.database.connect()?, &import_id)? else {
        return Ok(None);
    };
    if outcome.result == RedriveResult::Succeeded && row.status != JobStatus::Success {
        // The claim was another's who is alive, such as one that the moved dead letter has started.
        outcome.reason = Some("another execution is at work on the import".to_owned());
        return Ok(None);
    }
    if outcome.result == RedriveResult::Succeeded && row.execution_arn != outcome.execution_arn {
        // Another execution was quicker, and this one has found its rows.
        (outcome.result, outcome.reason) = (RedriveResult::HadSucceeded, Some(SUCCEEDED.to_owned()));
    }
    outcome.attempt = Some(row.attempt);
    outcome.rows = Some(row.rows_done);
    Ok(row.findings())
}

fn nothing(common: &Common) -> anyhow::Result<ExitCode> {
    if common.json {
        output::json(&Vec::<RedriveOutcome>::new())?;
    }
    let imports = common.command_line("imports");
    output::complain(&format!("no failed execution is to be redriven; `{imports}` lists the latest imports"));
    Ok(ExitCode::SUCCESS)
}

fn say_passed_over(common: &Common, found: &Found) {
    if found.passed_over > 0 {
        output::complain(&format!(
            "passed over {}: too old to be redriven, for another database, or for messages that ask for no import or contradict one; `{}` says why",
            executions(found.passed_over),
            common.command_line("redrive ID")
        ));
    }
}

/// The executions that would be redriven, and a line for each of the others with the reason.
fn by_objection<'a>(common: &Common, executions: &'a [Execution]) -> (Vec<&'a Execution>, Vec<String>) {
    let mut others = Vec::new();
    let mut redrivable = Vec::new();
    for execution in executions {
        match execution.objection(&|verb, id| common.command(verb, id)) {
            None => redrivable.push(execution),
            Some(why) => others.push(format!("{}: {why}", visible(execution.called()))),
        }
    }
    (redrivable, others)
}

fn table(executions: &[&Execution]) -> Vec<String> {
    let row = |execution: &&Execution| {
        [
            execution.called().to_owned(),
            execution.error.clone().unwrap_or_default(),
            execution.stopped_at.map(|at| at.format("%Y-%m-%d %H:%M:%S").to_string()).unwrap_or_default(),
            execution.redrives.to_string(),
        ]
    };
    let rows: Vec<_> = executions.iter().map(row).collect();
    text::table_lines(["IMPORT", "ERROR", "FAILED", "REDRIVES"], &rows)
}

fn executions(number: usize) -> String {
    match number {
        1 => "1 execution".to_owned(),
        number => format!("{} executions", numbers::count(number as u64)),
    }
}
