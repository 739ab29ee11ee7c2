//! Which characters SQS carries.

use super::fault::invalid_value;
use crate::wire::AwsError;

/// Refuses characters that XML 1.0 does not have.
pub(super) fn check_characters(text: &str) -> Result<(), AwsError> {
    let allowed = |character: char| matches!(character, '\t' | '\n' | '\r' | '\u{20}'..='\u{D7FF}' | '\u{E000}'..='\u{FFFD}' | '\u{10000}'..);
    if text.chars().all(allowed) {
        return Ok(());
    }
    Err(AwsError::client(
        "InvalidMessageContents",
        "Invalid characters found. Valid unicode characters are #x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | \
         #x10000 to #x10FFFF",
    ))
}

/// Checks a message group's or a deduplication's id.
pub(super) fn check_id(parameter: &str, id: &str) -> Result<(), AwsError> {
    let allowed = id.chars().all(|character| character.is_ascii_graphic());
    if allowed && (1..=128).contains(&id.len()) {
        return Ok(());
    }
    let reason =
        format!("{parameter} can only include alphanumeric and punctuation characters. 1 to 128 in length.");
    Err(invalid_value(parameter, id, &reason))
}
