//! Does what was confirmed, and tells on the list what came of it.

use axum::extract::{Path, State};
use axum::response::Response;
use ops::dlq::{move_back, selection};
use ops::executions::{Execution, find};
use ops::numbers;
use ops::redrive::start;

use super::ADDRESS;
use super::confirm::Deed;
use crate::error::PageError;
use crate::fields::Fields;
use crate::notices::NoticeKind;
use crate::settling::settle_later;
use crate::state::{Console, Shared};

/// Details beyond these are not told.
const DETAILS: usize = 20;

pub(super) async fn perform(
    State(console): State<Shared>,
    Path(deed): Path<String>,
    fields: Fields,
) -> Result<Response, PageError> {
    let deed = Deed::of(&deed)?;
    let ids: Vec<_> = fields.all("id").map(str::to_owned).collect();
    if ids.is_empty() {
        return Err(PageError::bad_request("No dead letter was named. Nothing was done."));
    }
    let done = match deed {
        Deed::Redrive => redrive_executions(&console, &ids).await,
        Deed::Move => move_back(&console, &ids).await,
        Deed::Drop => drop_letters(&console, &ids).await,
    };
    let (kind, mut lines) = match done {
        Ok(done) => done,
        Err(error) => (NoticeKind::Failed, error.chain().map(ToString::to_string).collect()),
    };
    if lines.len() > DETAILS + 1 {
        let others = lines.len() - DETAILS - 1;
        lines.truncate(DETAILS + 1);
        lines.push(format!("… and {} more", numbers::count(others as u64)));
    }
    Ok(console.notices.redirect(ADDRESS, kind, lines))
}

/// What came of it: first the sentence, then the details.
type Done = anyhow::Result<(NoticeKind, Vec<String>)>;

async fn move_back(console: &Console, ids: &[String]) -> Done {
    let _turn = console.dead_letters.lock().await;
    let moved = move_back::of_ids(&console.target, ids).await?;
    let mut lines = vec![format!("Moved {} back to the queue of imports", letters(moved.messages.len()))];
    lines.extend(moved.messages.iter().map(|message| {
        let import = message.import_id.as_deref().unwrap_or("no import");
        format!("{import}: {} moved as {}", message.message_id, message.new_message_id)
    }));
    Ok(with_missing(lines, ids.len(), moved.messages.len()))
}

async fn drop_letters(console: &Console, ids: &[String]) -> Done {
    let _turn = console.dead_letters.lock().await;
    let dropped = selection::drop_ids(&console.target, ids).await?;
    let mut lines = vec![format!("Dropped {}", letters(dropped.len()))];
    lines.extend(dropped.iter().map(|letter| {
        format!("{}: {} dropped", letter.import_id.as_deref().unwrap_or("no import"), letter.message_id)
    }));
    Ok(with_missing(lines, ids.len(), dropped.len()))
}

/// Redrives the executions of dead letters, and stays with them behind the scenes, to delete the letters of those that
/// succeed.
async fn redrive_executions(console: &Shared, ids: &[String]) -> Done {
    let (seen, _) = super::look(console).await?;
    let meant: Vec<_> = seen.into_iter().filter(|letter| ids.contains(&letter.message_id)).collect();
    let mut arns: Vec<_> = meant.iter().map(|letter| letter.execution_arn.clone()).collect();
    arns.sort_unstable();
    arns.dedup();
    let mut executions = Vec::new();
    let mut lines = Vec::new();
    for arn in &arns {
        match Execution::describe(&console.target, arn).await? {
            Some(execution) => executions.push(execution),
            None => lines.push(format!(
                "{arn}: not redriven: there is no such execution; move its message back instead"
            )),
        }
    }
    let executions = console
        .database(move |connection| {
            find::heed_imports(connection, &mut executions)?;
            Ok(executions)
        })
        .await?;
    let command = |verb: &str, id: &str| console.command(verb, id);
    let started = start::start(&console.target, executions, &command).await;
    lines.extend(started.others.iter().flat_map(|outcome| outcome.lines(None)));
    lines.extend(started.redriven.iter().map(|execution| format!("{}: redriven", execution.called())));
    let number = started.redriven.len();
    let sentence = match number {
        0 => "No execution was redriven".to_owned(),
        1 => "Redrove 1 execution".to_owned(),
        number => format!("Redrove {} executions", numbers::count(number as u64)),
    };
    let after = if number == 0 {
        String::new()
    } else if console.target.is_at_rest {
        format!("; `{}` goes on with them", console.command_line("up"))
    } else {
        "; Imports tells how they go. The dead letters of those that succeed are deleted".to_owned()
    };
    lines.insert(0, format!("{sentence}{after}"));
    if !console.target.is_at_rest {
        settle_later(console, started);
    }
    let (kind, lines) = with_missing(lines, ids.len(), meant.len());
    Ok((if number == 0 { NoticeKind::Failed } else { kind }, lines))
}

/// Says of how many nothing became.
fn with_missing(mut lines: Vec<String>, wanted: usize, had: usize) -> (NoticeKind, Vec<String>) {
    let missing = wanted.saturating_sub(had);
    if missing > 0 {
        lines.push(format!(
            "{} could not be had: gone meanwhile, or hidden because somebody is looking",
            letters(missing)
        ));
    }
    (if missing == 0 && had > 0 { NoticeKind::Done } else { NoticeKind::Failed }, lines)
}

fn letters(number: usize) -> String {
    match number {
        1 => "1 dead letter".to_owned(),
        number => format!("{} dead letters", numbers::count(number as u64)),
    }
}
