//! `baton dlq drop`: deletes dead letters, after it was said what is lost.

use std::process::ExitCode;

use ops::dlq::{loss, queue, selection};
use ops::error::Usage;
use ops::numbers;
use ops::target::Target;
use serde::Serialize;

use super::list;
use crate::arguments::{Common, DlqDropArguments};
use crate::output;

/// What was deleted, as `--json` prints it.
#[derive(Serialize)]
struct Dropped {
    dropped: usize,
    messages: Vec<DroppedMessage>,
}

#[derive(Serialize)]
struct DroppedMessage {
    message_id: String,
    import_id: Option<String>,
}

pub(super) async fn drop(
    common: &Common,
    target: &Target,
    arguments: &DlqDropArguments,
) -> anyhow::Result<ExitCode> {
    output::say_where(&target.place);
    let selected = selection::select(target, &arguments.selection.selection()).await?;
    let held = &selected.letters;
    if !held.is_empty() {
        let verb = if arguments.yes { "dropping" } else { "would drop" };
        let them = if held.len() == 1 {
            "1 message"
        } else {
            &format!("{} messages", numbers::count(held.len() as u64))
        };
        output::complain(&format!("{verb} {them}:\n"));
        list::table(held).iter().for_each(|line| output::complain(line));
        let redrivable = format!("which `{}` takes up", common.command_line("redrive ID"));
        output::complain(&format!("\n{}", loss::sentences(held, &redrivable).join(" ")));
    }
    if !arguments.yes && !held.is_empty() {
        queue::give_back(target, held).await;
        list::say_unseen(selected.unseen);
        return Err(Usage("nothing was done; --yes drops them".to_owned()).into());
    }
    queue::delete(target, held).await?;
    if common.json {
        let messages = held.iter().map(|letter| DroppedMessage {
            message_id: letter.message_id.clone(),
            import_id: letter.import_id.clone(),
        });
        output::json(&Dropped { dropped: held.len(), messages: messages.collect() })?;
    } else {
        for letter in held {
            let import = letter.import_id.as_deref().unwrap_or("no import");
            output::line(&format!("{}  {import}  dropped", letter.message_id));
        }
    }
    let list = common.command_line("dlq list");
    match selected.unknown.first() {
        Some(id) if held.is_empty() => {
            return Err(selection::unknown(target, id, &list, selected.unseen).await?.into());
        }
        Some(_) => {
            for id in &selected.unknown {
                output::complain(&selection::unknown(target, id, &list, selected.unseen).await?.to_string());
            }
            return Ok(ExitCode::FAILURE);
        }
        None if held.is_empty() => {
            let seen = if selected.unseen == 0 { "" } else { " among those that can be seen" };
            output::complain(&format!("there is no such dead letter{seen}; nothing was dropped"));
        }
        None => {}
    }
    list::say_unseen(selected.unseen);
    Ok(ExitCode::SUCCESS)
}
