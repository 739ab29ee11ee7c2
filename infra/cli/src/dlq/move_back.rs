//! `baton dlq redrive`: moves dead letters back to the queue of imports.

use std::process::ExitCode;

use ops::dlq::move_back::{Moved, check_databases, messages, move_all, move_each};
use ops::dlq::queue;
use ops::dlq::selection::{self, Selected};
use ops::error::Usage;
use ops::target::Target;

use super::list;
use crate::arguments::{Common, DlqRedriveArguments};
use crate::output;

pub(super) async fn move_back(
    common: &Common,
    target: &Target,
    arguments: &DlqRedriveArguments,
) -> anyhow::Result<ExitCode> {
    output::say_where(&target.place);
    let selection = arguments.selection.selection();
    let selected = selection::select(target, &selection).await?;
    let is_bulk = selection.ids.is_empty();
    let is_everything = is_bulk && selection.filters.is_empty();
    check_databases(target, &selected.letters).await?;
    if is_bulk {
        if selected.letters.is_empty() {
            return say(common, target, &Moved::default(), &selected).await;
        }
        let (verb, colon) = if arguments.yes { ("moving", "") } else { ("would move", ":") };
        // SQS moves those as well that cannot be seen.
        let unseen = if is_everything { selected.unseen } else { 0 };
        let many = messages((selected.letters.len() + unseen) as u64);
        output::complain(&format!("{verb} {many} back to the queue of imports{colon}"));
        list::table(&selected.letters).iter().for_each(|line| output::complain(line));
        list::say_unseen(selected.unseen);
        output::complain("");
    }
    if is_bulk && (!arguments.yes || is_everything) {
        queue::give_back(target, &selected.letters).await;
    }
    if is_bulk && !arguments.yes {
        return Err(Usage("nothing was done; --yes moves them".to_owned()).into());
    }
    let moved =
        if is_everything { move_all(target).await? } else { move_each(target, &selected.letters).await? };
    say(common, target, &moved, &selected).await
}

async fn say(
    common: &Common,
    target: &Target,
    moved: &Moved,
    selected: &Selected,
) -> anyhow::Result<ExitCode> {
    if common.json {
        output::json(moved)?;
    } else {
        for message in &moved.messages {
            let import = message.import_id.as_deref().unwrap_or("no import");
            output::line(&format!("{}  {import}  moved as {}", message.message_id, message.new_message_id));
        }
    }
    let command = |verb: &str| common.command_line(verb);
    let how = match moved.moved {
        0 => String::new(),
        _ if target.is_embedded() => format!("; `{}` goes on with them", command("up")),
        _ => {
            format!("; `{}` tells how they go, `{}` which come back", command("imports"), command("dlq list"))
        }
    };
    output::complain(&format!("moved {}{how}", messages(moved.moved)));
    let list = command("dlq list");
    match selected.unknown.first() {
        // As with any verb that is given nothing but what is not there.
        Some(id) if moved.moved == 0 => {
            Err(selection::unknown(target, id, &list, selected.unseen).await?.into())
        }
        Some(_) => {
            for id in &selected.unknown {
                output::complain(&format!(
                    "{:#}",
                    selection::unknown(target, id, &list, selected.unseen).await?
                ));
            }
            Ok(ExitCode::FAILURE)
        }
        None => Ok(ExitCode::SUCCESS),
    }
}
