//! `baton dlq list` and `baton dlq show`.

use std::process::ExitCode;
use std::time::Duration;

use chrono::Utc;
use ops::advice;
use ops::dlq::dead_letter::{BroughtBy, DeadLetter};
use ops::dlq::selection::look;
use ops::dlq::{queue, selection};
use ops::numbers;
use ops::target::Target;
use ops::text::{self, as_fact, cut};

use crate::arguments::{Common, DlqFilters, DlqShowArguments};
use crate::output;

/// The most columns of a table that a cause takes.
const CAUSE_COLUMNS: usize = 60;

pub(super) async fn list(common: &Common, target: &Target, filters: &DlqFilters) -> anyhow::Result<ExitCode> {
    let filters = filters.filters();
    let (mut all, unseen) = look(target).await?;
    all.retain(|letter| filters.accept(letter));
    if common.json {
        output::json(&all)?;
    } else if all.is_empty() {
        output::complain(match (filters.is_empty(), unseen) {
            (true, 0) => "the dead-letter queue is empty",
            (false, 0) => "there is no such dead letter",
            _ => "there is no such dead letter among those that can be seen",
        });
    } else {
        table(&all).iter().for_each(|line| output::line(line));
    }
    say_hidden(target).await?;
    say_unseen(unseen);
    Ok(ExitCode::SUCCESS)
}

pub(super) async fn show(
    common: &Common,
    target: &Target,
    arguments: &DlqShowArguments,
) -> anyhow::Result<ExitCode> {
    let (mut all, unseen) = look(target).await?;
    let list = common.command_line("dlq list");
    for id in &arguments.ids {
        if !all.iter().any(|letter| selection::is_called(letter, id)) {
            return Err(selection::unknown(target, id, &list, unseen).await?.into());
        }
    }
    all.retain(|letter| arguments.ids.iter().any(|id| selection::is_called(letter, id)));
    for letter in &mut all {
        letter.body = Some(letter.body().to_owned());
    }
    if common.json {
        output::json(&all)?;
    } else {
        let shown: Vec<_> =
            all.iter().map(|letter| whole(common, letter, target.other_database(letter.sent_at))).collect();
        output::line(&shown.join("\n\n"));
    }
    Ok(ExitCode::SUCCESS)
}

/// Says how many there are that cannot be seen, if there are any.
pub(super) fn say_unseen(unseen: usize) {
    selection::behind(unseen).iter().for_each(|behind| output::complain(behind));
}

async fn say_hidden(target: &Target) -> anyhow::Result<()> {
    let hidden = queue::count(target).await?.in_flight;
    if hidden > 0 {
        output::complain(&format!("hidden, because somebody is looking at them: {hidden} more"));
    }
    Ok(())
}

/// The table of dead letters, for `list` and for whoever says what he is going to do.
pub(super) fn table(letters: &[DeadLetter]) -> Vec<String> {
    let row = |letter: &DeadLetter| {
        [
            letter.message_id.clone(),
            letter.import_id.clone().unwrap_or_else(|| "none".to_owned()),
            letter.error.clone().unwrap_or_else(|| "not known".to_owned()),
            age(letter),
            letter.receives.to_string(),
            cut(
                letter.cause.as_deref().unwrap_or_default().lines().next().unwrap_or_default(),
                CAUSE_COLUMNS,
            ),
            letter.execution_arn.rsplit(':').next().unwrap_or_default().to_owned(),
        ]
    };
    let rows: Vec<_> = letters.iter().map(row).collect();
    text::table_lines(["MESSAGE", "IMPORT", "ERROR", "AGE", "RECEIVED", "CAUSE", "EXECUTION"], &rows)
}

fn age(letter: &DeadLetter) -> String {
    let age = (Utc::now() - letter.sent_at).to_std().unwrap_or_default();
    match age.as_secs() {
        0..=119 => format!("{} s", age.as_secs()),
        _ if age < Duration::from_secs(48 * 60 * 60) => numbers::duration(age),
        seconds => format!("{} days", seconds / 86_400),
    }
}

/// One dead letter, whole.
fn whole(common: &Common, letter: &DeadLetter, other: Option<String>) -> String {
    let mut lines = vec![format!("message    {}", letter.message_id)];
    let mut fact = |label: &str, value: &str| lines.push(as_fact(label, value));
    let import = match &letter.import_id {
        Some(id) if letter.asks_for_import => id.clone(),
        Some(id) => format!("{id}, which the message names; it could not be read as a whole"),
        None => "none: the message asks for no import".to_owned(),
    };
    fact("import", &import);
    fact("error", letter.error.as_deref().unwrap_or("not known"));
    fact("cause", letter.cause.as_deref().unwrap_or(advice::unrecorded(letter.error.as_deref())));
    fact("execution", &letter.execution_arn);
    letter.group_id.iter().for_each(|group| fact("group", group));
    fact("sent", &format!("{} UTC, {} ago", letter.sent_at.format("%Y-%m-%d %H:%M:%S"), age(letter)));
    fact(
        "received",
        &match letter.receives {
            1 => "once".to_owned(),
            receives => format!("{receives} times, those who looked at it included"),
        },
    );
    fact("by", letter.brought_by.in_words());
    fact("body", letter.body());
    if let Some(id) = letter.import_id.as_ref().filter(|_| letter.asks_for_import) {
        let next = match other {
            Some(other) => {
                format!("its import is for {other}: name that database by --database-url or DATABASE_URL")
            }
            None if !letter.is_worth_a_redrive() => {
                "send what it asks for with another import_id, and drop this message".to_owned()
            }
            // The queue itself has brought it, or somebody: there may be no execution.
            None if letter.error.is_none() && letter.brought_by != BroughtBy::DeadLetterExecution => {
                format!(
                    "{}  starts an execution with this message",
                    common.command("dlq redrive", &letter.message_id)
                )
            }
            None => format!(
                "{}  takes up the failed execution, once the cause is mended\n{}  starts a new one with this message",
                common.command("redrive", id),
                common.command("dlq redrive", &letter.message_id),
            ),
        };
        fact("next", &next);
    }
    lines.join("\n")
}
