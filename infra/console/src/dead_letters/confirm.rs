//! Asks before anything is done with dead letters: how many, which, what it means, what is lost.

use axum::extract::{Path, State};
use maud::{Markup, html};
use ops::dlq::dead_letter::DeadLetter;
use ops::dlq::{loss, selection};
use ops::numbers;

use super::{ADDRESS, SHOWN};
use crate::error::PageError;
use crate::fields::Fields;
use crate::layout::{self, Column, Confirmation, Nav};
use crate::state::Shared;

/// What can be done with dead letters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Deed {
    /// Their executions are redriven.
    Redrive,
    /// They are moved back to the queue of imports.
    Move,
    /// They are deleted.
    Drop,
}

impl Deed {
    /// As it stands in an address.
    pub(super) fn of(address: &str) -> Result<Self, PageError> {
        match address {
            "redrive" => Ok(Self::Redrive),
            "move" => Ok(Self::Move),
            "drop" => Ok(Self::Drop),
            _ => Err(PageError::not_found("There is no such thing to do with dead letters.")),
        }
    }
}

pub(super) async fn confirm(
    State(console): State<Shared>,
    Path(deed): Path<String>,
    fields: Fields,
) -> Result<Markup, PageError> {
    let deed = Deed::of(&deed)?;
    let ids: Vec<_> = fields.all("id").map(str::to_owned).collect();
    if ids.is_empty() {
        return Err(PageError::bad_request(
            "No dead letter is selected. Go back, and tick those that are meant.",
        ));
    }
    let (seen, unseen) = super::look(&console).await?;
    let (meant, gone) = meant(seen, &ids);
    if meant.is_empty() {
        let list = console.command_line("dlq list");
        return Err(selection::unknown(&console.target, &ids[0], &list, unseen).await?.into());
    }
    let (question, button, action) = words(deed, meant.len());
    let meaning = html! {
        (meaning(deed, &meant))
        @if gone > 0 {
            p { (numbers::count(gone as u64)) " of those that were selected are not there any more, or hidden at the moment; they are left out." }
        }
        (table(&meant))
    };
    let confirmation = Confirmation {
        question: &question,
        meaning,
        action: &action,
        fields: meant.iter().map(|letter| ("id", letter.message_id.clone())).collect(),
        button,
        is_dangerous: deed == Deed::Drop,
        back: ADDRESS,
    };
    Ok(layout::page(
        &console.foot(),
        &question,
        Nav::DeadLetters,
        confirmation.render(&console.guard.csrf_field()),
    ))
}

/// Those that are meant, and how many are meant that are not there.
fn meant(seen: Vec<DeadLetter>, ids: &[String]) -> (Vec<DeadLetter>, usize) {
    let meant: Vec<_> = seen.into_iter().filter(|letter| ids.contains(&letter.message_id)).collect();
    let gone = ids.len().saturating_sub(meant.len());
    (meant, gone)
}

/// The question, the button, and where it leads.
fn words(deed: Deed, number: usize) -> (String, &'static str, String) {
    let letters = if number == 1 {
        "1 dead letter".to_owned()
    } else {
        format!("{} dead letters", numbers::count(number as u64))
    };
    match deed {
        Deed::Redrive => (
            format!("Redrive the {} of {letters}?", if number == 1 { "execution" } else { "executions" }),
            "Redrive",
            format!("{ADDRESS}/do/redrive"),
        ),
        Deed::Move => (
            format!("Move {letters} back to the queue of imports?"),
            "Move back",
            format!("{ADDRESS}/do/move"),
        ),
        Deed::Drop => (format!("Drop {letters}?"), "Drop", format!("{ADDRESS}/do/drop")),
    }
}

fn meaning(deed: Deed, letters: &[DeadLetter]) -> Markup {
    html! {
        @match deed {
            Deed::Redrive => p {
                "Each failed execution goes on where it failed, with the options that its import has. Mend the cause first: \
                 else it fails again, and its dead letter stays. A dead letter whose execution then succeeds is deleted."
            },
            Deed::Move => p {
                "Each message goes back to the queue as a new one, and starts a new execution from the beginning. Mend the \
                 cause first: else it comes back. An import that has succeeded meanwhile is not imported twice."
            },
            Deed::Drop => p {
                @let said = loss::sentences(letters, "which can be redriven");
                strong { (said[0]) }
                " " (said[1..].join(" "))
            },
        }
    }
}

fn table(letters: &[DeadLetter]) -> Markup {
    let columns = [Column::new("Import"), Column::wide("Error and cause"), Column::new("Sent")];
    let shown = letters.get(..SHOWN).unwrap_or(letters);
    let rows =
        shown.iter().map(|letter| [super::import(letter), super::why(letter), layout::ago(letter.sent_at)]);
    html! {
        section.panel {
            (layout::table("The dead letters that are meant", &columns, rows))
            @if letters.len() > shown.len() {
                p.quiet { "… and " (numbers::count((letters.len() - shown.len()) as u64)) " more" }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ops::dlq::dead_letter::sample::letter;

    #[test]
    fn a_question_says_how_many_and_what_is_lost() {
        assert_eq!(words(Deed::Drop, 1).0, "Drop 1 dead letter?");
        assert_eq!(words(Deed::Redrive, 1_200).0, "Redrive the executions of 1,200 dead letters?");
        let noise = [letter("hello", &[("ExecutionArn", "arn")])];
        let meaning = meaning(Deed::Drop, &noise).into_string();
        assert!(meaning.contains("The message is lost") && !meaning.contains("redriven"), "{meaning}");
        assert!(Deed::of("purge").is_err());
    }

    #[test]
    fn those_that_are_gone_are_counted_and_text_of_a_message_is_text() {
        let seen = vec![letter(
            "<script>alert(1)</script>",
            &[("ExecutionArn", "arn"), ("Cause", "<b>\u{202e}bad</b>")],
        )];
        let id = seen[0].message_id.clone();
        let (meant, gone) = meant(seen, &[id, "gone".to_owned()]);
        assert_eq!((meant.len(), gone), (1, 1));
        let shown = table(&meant).into_string();
        assert!(shown.contains("&lt;b&gt;\\u{202e}bad&lt;/b&gt;"), "{shown}");
    }
}
