//! What all batches have in common: their ids, and a result for each entry.

use std::collections::HashSet;

use serde_json::{Map, Value, json};

use super::fault::{Fault, shown};
use crate::wire::AwsError;

const MAX_ENTRIES: usize = 10;

/// Checks a batch of `kind` as a whole, before any of its entries counts.
pub(super) fn check<'a>(kind: &str, ids: impl ExactSizeIterator<Item = &'a str>) -> Result<(), AwsError> {
    let entries = ids.len();
    if entries == 0 {
        let message = format!("There should be at least one {kind}RequestEntry in the request.");
        return Err(AwsError::client("EmptyBatchRequest", message));
    }
    if entries > MAX_ENTRIES {
        let message =
            format!("Maximum number of entries per request are {MAX_ENTRIES}. You have sent {entries}.");
        return Err(AwsError::client("TooManyEntriesInBatchRequest", message));
    }
    let mut seen = HashSet::new();
    for id in ids {
        let allowed = |character: char| character.is_ascii_alphanumeric() || "_-".contains(character);
        if !(1..=80).contains(&id.len()) || !id.chars().all(allowed) {
            return Err(AwsError::client(
                "InvalidBatchEntryId",
                "A batch entry id can only contain alphanumeric characters, hyphens and underscores. It can be at \
                 most 80 letters long.",
            ));
        }
        if !seen.insert(id) {
            return Err(AwsError::client("BatchEntryIdsNotDistinct", format!("Id {} repeated.", shown(id))));
        }
    }
    Ok(())
}

/// The results of a batch's entries.
#[derive(Default)]
pub(super) struct Results {
    successful: Vec<Value>,
    failed: Vec<Value>,
}

impl Results {
    /// Adds an entry's result. What is not the sender's fault fails the whole batch.
    pub(super) fn add(&mut self, id: &str, result: Result<Map<String, Value>, Fault>) -> Result<(), Fault> {
        match result {
            Ok(mut fields) => {
                fields.insert("Id".to_owned(), json!(id));
                self.successful.push(Value::Object(fields));
            }
            Err(Fault::Refused(error)) if error.status < 500 => self.failed.push(json!({
                "Id": id, "SenderFault": true, "Code": error.code, "Message": error.message,
            })),
            Err(fault) => return Err(fault),
        }
        Ok(())
    }

    /// The answer. Like AWS's, it leaves out a list that is empty.
    pub(super) fn into_value(self) -> Value {
        let mut answer = Map::new();
        for (name, list) in [("Successful", self.successful), ("Failed", self.failed)] {
            if !list.is_empty() {
                answer.insert(name.to_owned(), Value::Array(list));
            }
        }
        Value::Object(answer)
    }
}
