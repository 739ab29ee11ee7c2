//! Which dead letters are meant.

use chrono::{DateTime, Utc};
use statemachine::JobId;

use super::dead_letter::{BroughtBy, DeadLetter};
use super::queue;
use crate::error::Usage;
use crate::numbers;
use crate::target::Target;

/// Which dead letters; all conditions have to hold.
#[derive(Clone, Debug, Default)]
pub struct Filters {
    /// Only those with one of these errors; none: with any.
    pub errors: Vec<String>,
    /// Only those that ask for one of these imports; none: for any.
    pub imports: Vec<JobId>,
    /// Only those that were sent since then.
    pub since: Option<DateTime<Utc>>,
    /// Only those that were sent before then.
    pub older_than: Option<DateTime<Utc>>,
}

/// Dead letters that are meant, one by one or by what they have in common.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    /// Ids of messages, or of imports. None: all, as far as the conditions hold.
    pub ids: Vec<String>,
    /// The conditions.
    pub filters: Filters,
}

/// Dead letters that are meant, held; all others were given back.
pub struct Selected {
    /// Hidden from others, until they are given back or deleted.
    pub letters: Vec<DeadLetter>,
    /// Ids that no dead letter has.
    pub unknown: Vec<String>,
    /// How many there are besides that cannot be seen now.
    pub unseen: usize,
}

impl Filters {
    /// Whether there is no condition.
    pub fn is_empty(&self) -> bool {
        self.errors.is_empty() && self.imports.is_empty() && self.since.is_none() && self.older_than.is_none()
    }

    /// Whether all conditions hold.
    pub fn accept(&self, letter: &DeadLetter) -> bool {
        let error = letter.error.as_deref().unwrap_or_default();
        (self.errors.is_empty() || self.errors.iter().any(|name| name.eq_ignore_ascii_case(error)))
            && (self.imports.is_empty()
                || self.imports.iter().any(|id| letter.import_id.as_deref() == Some(id.as_str())))
            && self.since.is_none_or(|since| letter.sent_at >= since)
            && self.older_than.is_none_or(|before| letter.sent_at < before)
    }
}

/// Whether the id is this dead letter's, or its import's.
pub fn is_called(letter: &DeadLetter, id: &str) -> bool {
    letter.message_id == id || letter.import_id.as_deref() == Some(id)
}

/// The dead letters that are meant, held.
pub async fn select(target: &Target, selection: &Selection) -> anyhow::Result<Selected> {
    let (mut all, unseen) = queue::receive_all(target).await?;
    if let Err(error) = explain(target, &mut all).await {
        queue::give_back(target, &all).await;
        return Err(error);
    }
    let is_meant = |letter: &DeadLetter| {
        let is_named = selection.ids.is_empty() || selection.ids.iter().any(|id| is_called(letter, id));
        is_named && selection.filters.accept(letter)
    };
    let is_known = |id: &&String| all.iter().any(|letter| is_called(letter, id));
    let unknown: Vec<_> = selection.ids.iter().filter(|id| !is_known(id)).cloned().collect();
    let (letters, others): (Vec<_>, Vec<_>) = all.into_iter().partition(is_meant);
    queue::give_back(target, &others).await;
    Ok(Selected { letters, unknown, unseen })
}

/// The dead letters of these ids, held. Those that are not there are left out.
pub(crate) async fn of_ids(target: &Target, ids: &[String]) -> anyhow::Result<Vec<DeadLetter>> {
    // A selection without ids means all; whoever names none means none.
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let selection = Selection { ids: ids.to_vec(), ..Selection::default() };
    Ok(select(target, &selection).await?.letters)
}

/// All visible messages, which are given back before anything else is done, and how many there are besides that cannot be seen.
pub async fn look(target: &Target) -> anyhow::Result<(Vec<DeadLetter>, usize)> {
    let (mut all, unseen) = queue::receive_all(target).await?;
    queue::give_back(target, &all).await;
    explain(target, &mut all).await?;
    Ok((all, unseen))
}

/// What is said of those that cannot be seen; nothing where there are none.
pub fn behind(unseen: usize) -> Option<String> {
    let them = match unseen {
        0 => return None,
        1 => "1 more message is".to_owned(),
        many => format!("{} more messages are", numbers::count(many as u64)),
    };
    Some(format!(
        "{them} in the queue and cannot be seen: a FIFO queue gives none of a message group while others of it are held; once those that are seen are gone, these are seen"
    ))
}

/// Deletes the dead letters of these ids, and returns those that it had.
pub async fn drop_ids(target: &Target, ids: &[String]) -> anyhow::Result<Vec<DeadLetter>> {
    let held = of_ids(target, ids).await?;
    queue::delete(target, &held).await?;
    Ok(held)
}

/// Looks up why messages are here that do not say it themselves.
pub(crate) async fn explain(target: &Target, letters: &mut [DeadLetter]) -> anyhow::Result<()> {
    for letter in letters.iter_mut().filter(|letter| letter.brought_by != BroughtBy::DeadLetterExecution) {
        letter.explain(target).await?;
    }
    Ok(())
}

/// The complaint about an id that no dead letter has which can be seen. `list` is the command line that lists them.
pub async fn unknown(target: &Target, id: &str, list: &str, unseen: usize) -> anyhow::Result<Usage> {
    let hidden = match queue::count(target).await?.in_flight {
        0 => String::new(),
        hidden => format!(
            "; hidden at the moment: {hidden}, because somebody is looking at them; try again in {} s",
            queue::HOLD_S
        ),
    };
    let behind = behind(unseen).map(|behind| format!("; {behind}")).unwrap_or_default();
    let seen = if unseen == 0 { "" } else { " among those that can be seen" };
    Ok(Usage(format!("there is no dead letter {id}{seen}; `{list}` lists them{hidden}{behind}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dlq::dead_letter::sample::letter;
    use crate::moment::Moment;

    #[test]
    fn all_conditions_have_to_hold() {
        let letter =
            letter(r#"{"import_id": "p"}"#, &[("ExecutionArn", "arn"), ("Error", "Import.TableMissing")]);
        let filters = || Filters {
            errors: vec!["Import.SourceMissing".to_owned(), "import.tablemissing".to_owned()],
            imports: vec!["p".parse().unwrap()],
            ..Filters::default()
        };
        assert!(Filters::default().accept(&letter) && filters().accept(&letter));
        assert!(!Filters { imports: vec!["q".parse().unwrap()], ..filters() }.accept(&letter));
        assert!(!Filters { errors: vec!["Import".to_owned()], ..filters() }.accept(&letter));
        // It was sent in 2001.
        let moment = |text: &str| Some(text.parse::<Moment>().unwrap().0);
        assert!(!Filters { since: moment("3d"), ..filters() }.accept(&letter));
        assert!(Filters { older_than: moment("3d"), ..filters() }.accept(&letter));
        let between = Filters {
            since: moment("2001-01-01T00:00:00Z"),
            older_than: moment("2001-12-01T00:00:00Z"),
            ..filters()
        };
        assert!(between.accept(&letter));
        assert!(
            is_called(&letter, "p") && is_called(&letter, &letter.message_id) && !is_called(&letter, "P")
        );
    }
}
