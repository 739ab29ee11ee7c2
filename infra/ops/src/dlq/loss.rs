//! What is lost with dead letters that are dropped, for whoever is asked whether that is meant.

use super::dead_letter::DeadLetter;
use crate::numbers;

/// What goes with the messages, and what stays. `redrivable` says how an execution is redriven: "which can be redriven".
pub fn sentences(letters: &[DeadLetter], redrivable: &str) -> Vec<String> {
    let alone = letters.iter().filter(|letter| !letter.is_worth_a_redrive()).count();
    let mut sentences =
        vec![if letters.len() == 1 { "The message is lost." } else { "The messages are lost." }.to_owned()];
    if alone < letters.len() {
        sentences.push(format!(
            "What there is of an import stays: its file, its row and its execution, {redrivable} for 14 days after it has failed."
        ));
    }
    if alone > 0 {
        sentences.push(match (alone, letters.len()) {
            (1, 1) => "Its execution would fail again: nothing else is left of it.".to_owned(),
            (1, _) => "The execution of 1 of them would fail again: nothing else is left of it.".to_owned(),
            (alone, all) if alone == all => {
                "Their executions would fail again: nothing else is left of them.".to_owned()
            }
            (alone, _) => {
                format!(
                    "{} of them ask for no import: nothing else is left of them.",
                    numbers::count(alone as u64)
                )
            }
        });
    }
    sentences
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dlq::dead_letter::sample::letter;

    #[test]
    fn a_redrive_is_promised_of_a_message_alone_whose_import_can_succeed() {
        let import = letter(r#"{"import_id": "p"}"#, &[("ExecutionArn", "arn")]);
        let noise = letter("hello", &[("ExecutionArn", "arn")]);
        let contradicts =
            letter(r#"{"import_id": "p"}"#, &[("ExecutionArn", "arn"), ("Error", "Import.Contradiction")]);
        let said = |letters: &[&DeadLetter]| {
            let letters: Vec<_> = letters.iter().map(|letter| (*letter).clone()).collect();
            sentences(&letters, "which can be redriven").join(" ")
        };
        let stays = "What there is of an import stays: its file, its row and its execution, which can be redriven for 14 days after it has \
                     failed.";
        assert_eq!(said(&[&import]), format!("The message is lost. {stays}"));
        assert_eq!(
            said(&[&noise]),
            "The message is lost. Its execution would fail again: nothing else is left of it."
        );
        assert_eq!(
            said(&[&noise, &import]),
            format!(
                "The messages are lost. {stays} The execution of 1 of them would fail again: nothing else is left of it."
            )
        );
        assert_eq!(
            said(&[&noise, &contradicts]),
            "The messages are lost. Their executions would fail again: nothing else is left of them."
        );
    }
}
