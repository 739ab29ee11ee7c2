//! Whether the folder has unfinished work for another database than the one that is named: no stack starts then.

use chrono::Utc;

use super::check::Check;
use crate::numbers;
use crate::target::{Choice, Target};
use crate::unfinished::{self, Unfinished};

/// What keeps a stack from starting, if anything of this kind does.
pub(super) async fn check(choice: &Choice, target: &Target) -> Option<Check> {
    if !target.is_at_rest {
        return None;
    }
    let other = target.other_database(Utc::now())?;
    // What cannot be asked is told by the checks of the services.
    let Unfinished { imports, messages } = unfinished::find(target).await.ok()?;
    let number = imports.len() + messages;
    (number > 0).then(|| {
        let (imports, are, their) = match number {
            1 => ("1 import".to_owned(), "is", "its"),
            many => (format!("{} imports", numbers::count(many as u64)), "are", "their"),
        };
        let says = format!("{imports} in this folder {are} not finished, and {their} rows go into {other}");
        let advice = format!(
            "name that database by --database-url or DATABASE_URL, or another folder by --data-dir; where that one has moved and is the one \
             that is named now, `{}`",
            choice.commands.line("up --database-moved")
        );
        Check::fail("unfinished", says, advice)
    })
}
