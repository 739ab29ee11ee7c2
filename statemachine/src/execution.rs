//! What starts an execution, and its name. The name is derived from the message, so that a redelivery of the message
//! can never start a second run (`StartExecution` refuses a name that is taken).

use serde::{Deserialize, Serialize};

use crate::import::Import;
use crate::job_id::JobId;
use crate::text::{cut, printable};
use crate::trace_header::TraceHeader;

/// The most that Step Functions takes as input of an execution, in bytes of UTF-8 (`API_StartExecution`).
pub const MAX_INPUT_BYTES: usize = 262_144;

/// SQS message ids are UUIDs in hexadecimal digits with hyphens between them.
const MESSAGE_ID_LENGTH: usize = 36;

/// The input of an execution of the import machine: either the import that a message asks for, or why it asks for none.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ExecutionInput {
    /// What is to be imported.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub import: Option<Import>,
    /// Why the message cannot be understood. Set if and only if `import` is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invalid: Option<InvalidMessage>,
    /// The message, so that the execution can hold it, delete it or dead-letter it.
    pub message: Message,
}

/// Why a message is not understood.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, thiserror::Error)]
#[error("{reason}")]
pub struct InvalidMessage {
    /// A sentence for the person who sent it.
    pub reason: String,
}

/// The longest reason, in bytes.
const MAX_REASON_BYTES: usize = 2_000;

impl InvalidMessage {
    /// A reason, which may quote the message: it is cut, and without what a service refuses.
    #[must_use]
    pub fn new(reason: &str) -> Self {
        Self { reason: cut(&printable(reason), MAX_REASON_BYTES).into_owned() }
    }
}

/// An SQS message, as far as an execution needs it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Message {
    /// The id that SQS gave the message.
    pub id: String,
    /// The body, to the letter.
    pub body: String,
    /// The handle of the receive that started the execution.
    pub receipt_handle: String,
    /// The queue that the message lies in.
    pub queue_url: String,
    /// The message group, on a FIFO queue.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group_id: Option<String>,
    /// The id that SQS gave its sender, where it has been moved into a lane since and has another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sent_id: Option<String>,
    /// The trace that the message belongs to. The definition hands it to the container: the context of an execution, which
    /// has it too, does not show it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace_header: Option<TraceHeader>,
}

impl Message {
    /// The id that its sender knows it by, and its execution has in its name.
    #[must_use]
    pub fn sent_id(&self) -> &str {
        self.sent_id.as_deref().unwrap_or(&self.id)
    }

    /// Whether this has the form of an id that SQS gives a message.
    #[must_use]
    pub fn is_id(text: &str) -> bool {
        text.len() == MESSAGE_ID_LENGTH
            && text.bytes().enumerate().all(|(index, byte)| match index {
                8 | 13 | 18 | 23 => byte == b'-',
                _ => byte.is_ascii_hexdigit(),
            })
    }
}

/// The execution's input would be larger than Step Functions takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the execution's input would have {bytes} bytes, Step Functions takes {MAX_INPUT_BYTES}")]
pub struct InputTooLarge {
    /// The size that the input would have, in bytes.
    pub bytes: usize,
}

impl ExecutionInput {
    /// The input for a message that asks for an import.
    #[must_use]
    pub fn of_import(import: Import, message: Message) -> Self {
        Self { import: Some(import), invalid: None, message }
    }

    /// The input for a message that cannot be understood.
    #[must_use]
    pub fn of_invalid(invalid: InvalidMessage, message: Message) -> Self {
        Self { import: None, invalid: Some(invalid), message }
    }

    /// The name of the one execution that this message may start.
    #[must_use]
    pub fn name(&self) -> ExecutionName {
        ExecutionName::new(self.import.as_ref().map(|import| &import.import_id), self.message.sent_id())
    }

    /// The input as JSON.
    ///
    /// # Errors
    /// [`InputTooLarge`] where Step Functions would refuse it.
    pub fn to_json(&self) -> Result<String, InputTooLarge> {
        #[expect(
            clippy::expect_used,
            reason = "strings and numbers only: no key that is not text, no failing Serialize"
        )]
        let json = serde_json::to_string(self).expect("an execution's input is plain JSON");
        if json.len() > MAX_INPUT_BYTES { Err(InputTooLarge { bytes: json.len() }) } else { Ok(json) }
    }
}

/// The name of an execution: `<import id>-<message id>`, or `invalid-<message id>`. At most 80 characters, as Step
/// Functions asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExecutionName(String);

impl ExecutionName {
    const MAX_LENGTH: usize = 80;

    fn new(import_id: Option<&JobId>, message_id: &str) -> Self {
        let import_id = import_id.map_or("invalid", JobId::as_str);
        // SQS message ids are UUIDs; anything else is cut to what an execution's name may hold.
        let message_id = message_id.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-' || *c == '_');
        Self(import_id.chars().chain(['-']).chain(message_id).take(Self::MAX_LENGTH).collect())
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The id of the import in an execution's name; `None` where the name is not made as these are. A message that asks
    /// for no import gives `invalid`: whether that is an import's id, the execution's input tells.
    #[must_use]
    pub fn import_id_in(name: &str) -> Option<&str> {
        Self::parts(name).map(|(import_id, _)| import_id)
    }

    /// The id of the message in an execution's name, or at the end of its ARN; `None` where the name is not made as these
    /// are.
    #[must_use]
    pub fn message_id_in(name: &str) -> Option<&str> {
        Self::parts(name).map(|(_, message_id)| message_id)
    }

    fn parts(name: &str) -> Option<(&str, &str)> {
        let (rest, message_id) = name.split_at_checked(name.len().checked_sub(MESSAGE_ID_LENGTH)?)?;
        let import_id = rest.strip_suffix('-')?;
        (Message::is_id(message_id) && !import_id.is_empty()).then_some((import_id, message_id))
    }
}

impl From<ExecutionName> for String {
    fn from(name: ExecutionName) -> Self {
        name.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(body: &str) -> Message {
        Message {
            id: "f3f2a1de-6c1f-4a9e-8f6a-0a8d8f0d7a11".into(),
            body: body.into(),
            receipt_handle: "handle".into(),
            queue_url: "https://sqs.ap-northeast-1.amazonaws.com/123456789012/imports".into(),
            group_id: None,
            sent_id: None,
            trace_header: None,
        }
    }

    #[test]
    fn the_name_is_the_same_at_every_delivery_of_a_message() {
        let import: Import = serde_json::from_str(r#"{"import_id": "people-1"}"#).unwrap();
        let first = ExecutionInput::of_import(import.clone(), message("{}"));
        let second =
            ExecutionInput::of_import(import, Message { receipt_handle: "another".into(), ..message("{}") });
        assert_eq!(first.name(), second.name());
        assert_eq!(first.name().as_str(), "people-1-f3f2a1de-6c1f-4a9e-8f6a-0a8d8f0d7a11");
    }

    #[test]
    fn a_message_that_was_moved_has_the_name_that_its_sender_can_tell() {
        let sent = "059f36b4-87a3-44ab-83d2-661975830a7d";
        let import: Import = serde_json::from_str(r#"{"import_id": "a"}"#).unwrap();
        let moved = Message { sent_id: Some(sent.to_owned()), ..message("{}") };
        assert_eq!(ExecutionInput::of_import(import, moved).name().as_str(), format!("a-{sent}"));
        assert!(Message::is_id(sent) && !Message::is_id("059f36b4") && !Message::is_id(&"a".repeat(36)));
    }

    #[test]
    fn the_import_can_be_told_from_the_name() {
        let message_id = message("").id;
        for import_id in ["7", "people-1", "a-b-c-d", &message_id, &"x".repeat(JobId::MAX_LENGTH)] {
            let id: JobId = import_id.parse().unwrap();
            let name = ExecutionName::new(Some(&id), &message_id);
            assert_eq!(ExecutionName::import_id_in(name.as_str()), Some(import_id));
            let arn = format!("arn:aws:states:r:1:execution:import:{}", name.as_str());
            assert_eq!(ExecutionName::message_id_in(&arn), Some(message_id.as_str()));
        }
        for name in ["", "people-1", &message_id, &format!("-{message_id}"), &format!("a-{}", "x".repeat(36))]
        {
            assert_eq!(ExecutionName::import_id_in(name), None, "{name}");
        }
        assert_eq!(ExecutionName::import_id_in(&format!("é{}", &message_id[1..])), None);
    }

    #[test]
    fn the_longest_id_still_gives_a_name_that_step_functions_takes() {
        let import_id: JobId = "x".repeat(JobId::MAX_LENGTH).parse().unwrap();
        let name = ExecutionName::new(Some(&import_id), &message("").id);
        assert_eq!(name.as_str().len(), 77);
        assert!(name.as_str().ends_with("0a8d8f0d7a11"));
    }

    #[test]
    fn an_input_that_step_functions_would_refuse_is_noticed() {
        let invalid = InvalidMessage::new("noise");
        let input = ExecutionInput::of_invalid(invalid, message(&"x".repeat(MAX_INPUT_BYTES)));
        assert!(input.to_json().unwrap_err().bytes > MAX_INPUT_BYTES);
    }
}
