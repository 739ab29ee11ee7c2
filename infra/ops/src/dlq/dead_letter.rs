//! A message of the dead-letter queue: which import it asks for, why it is here, and who brought it.

use std::collections::HashMap;

use anyhow::Context as _;
use aws_sdk_sqs::types::{Message, MessageAttributeValue, MessageSystemAttributeName};
use chrono::{DateTime, Utc};
use serde::Serialize;
use statemachine::{Body, ExecutionInput, FailureName, import_named_in, parse_body};

use crate::executions::Execution;
use crate::executions::find::{self, execution_arn};
use crate::target::Target;

/// The message attributes that the dead-letter execution sets.
pub(super) const OWN_ATTRIBUTES: [&str; 4] = ["Error", "Cause", "ExecutionArn", "MessageId"];

/// A message of the dead-letter queue. Its JSON is what `--json` prints.
#[derive(Clone, Debug, Serialize)]
pub struct DeadLetter {
    /// Its id in the dead-letter queue.
    pub message_id: String,
    /// The import that it names; none where it names none.
    pub import_id: Option<String>,
    /// Whether it asks for that import. What cannot be read as a whole asks for none.
    #[serde(skip)]
    pub asks_for_import: bool,
    /// The name of the failure that brought it here.
    pub error: Option<String>,
    /// The failure in words.
    pub cause: Option<String>,
    /// The execution that failed, or would have been started for it.
    pub execution_arn: String,
    /// Who put it here.
    pub brought_by: BroughtBy,
    /// The message group, in a FIFO queue.
    pub group_id: Option<String>,
    /// When it was sent, as the queue tells it.
    pub sent_at: DateTime<Utc>,
    /// How often it was received, those that list the queue included.
    pub receives: u32,
    /// For `show` alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    #[serde(skip)]
    pub(super) message: Message,
}

/// Who put a message into the dead-letter queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum BroughtBy {
    /// The execution of the dead-letter machine, with the reason.
    DeadLetterExecution,
    /// The queue itself, because the message was received too often.
    RedrivePolicy,
    /// Somebody else.
    Sender,
}

impl BroughtBy {
    /// For a person.
    pub fn in_words(self) -> &'static str {
        match self {
            Self::DeadLetterExecution => "the execution of the dead-letter machine",
            Self::RedrivePolicy => "the queue's own redrive policy: it was received too often",
            Self::Sender => "a sender: neither an execution nor the queue brought it here",
        }
    }
}

impl DeadLetter {
    /// Whether a redrive of its execution can come to anything: neither where it asks for no import, nor where it contradicts the one
    /// that has its id.
    pub fn is_worth_a_redrive(&self) -> bool {
        self.asks_for_import && self.error.as_deref() != Some(FailureName::Contradiction.as_str())
    }

    /// Reads a message as it was received.
    pub(super) fn read(target: &Target, message: Message) -> anyhow::Result<Self> {
        Self::parse(message, |name| execution_arn(target, name))
    }

    fn parse(message: Message, arn_of: impl Fn(&str) -> String) -> anyhow::Result<Self> {
        use MessageSystemAttributeName as Name;
        let message_id = message.message_id.clone().context("SQS gave a message without an id")?;
        let system = |name: &Name| message.attributes.as_ref()?.get(name).cloned();
        let attribute = |name: &str| {
            message
                .message_attributes
                .as_ref()?
                .get(name)?
                .string_value
                .clone()
                .filter(|text| !text.is_empty())
        };
        let input = input(&message, &message_id);
        let asked = input.as_ref().and_then(|input| input.import.as_ref()).map(|import| &import.import_id);
        let named = || import_named_in(message.body.as_deref().unwrap_or_default());
        let (asks_for_import, import_id) = (asked.is_some(), asked.cloned().or_else(named));
        let derived =
            || arn_of(input.as_ref().map(ExecutionInput::name).map_or(String::new(), String::from).as_str());
        // A message that was moved back keeps the attributes of its time as a dead letter. Where the queue itself brought it
        // here again, they speak of the message before.
        let (brought_by, execution_arn, error, cause) = if system(&Name::DeadLetterQueueSourceArn).is_some() {
            (BroughtBy::RedrivePolicy, derived(), None, None)
        } else if let Some(arn) = attribute("ExecutionArn") {
            (BroughtBy::DeadLetterExecution, arn, attribute("Error"), attribute("Cause"))
        } else {
            (BroughtBy::Sender, derived(), None, None)
        };
        let sent_ms = system(&Name::SentTimestamp).and_then(|text| text.parse().ok()).unwrap_or(0);
        Ok(Self {
            message_id,
            import_id: import_id.map(|id| id.to_string()),
            asks_for_import,
            error,
            cause,
            execution_arn,
            brought_by,
            group_id: system(&Name::MessageGroupId),
            sent_at: DateTime::from_timestamp_millis(sent_ms).unwrap_or_default(),
            receives: system(&Name::ApproximateReceiveCount).and_then(|text| text.parse().ok()).unwrap_or(0),
            body: None,
            message,
        })
    }

    /// Looks up why the queue brought the message here: from the execution, where there is one.
    pub(super) async fn explain(&mut self, target: &Target) -> anyhow::Result<()> {
        if self.brought_by == BroughtBy::DeadLetterExecution {
            return Ok(());
        }
        let mut execution = Execution::describe(target, &self.execution_arn).await?;
        if execution.is_none() && target.resources.lane_queue_url.is_some() {
            let asked = self.import_id.as_deref().filter(|_| self.asks_for_import);
            execution = find::of_message(target, asked, &self.message_id).await?;
        }
        match execution {
            Some(execution) => {
                let running = || format!("its execution is {}", execution.status);
                self.cause = Some(execution.cause.clone().unwrap_or_else(running));
                self.error = execution.error;
                self.execution_arn = execution.arn;
            }
            None => self.cause = Some(self.why_no_execution()),
        }
        Ok(())
    }

    fn why_no_execution(&self) -> String {
        let too_large = input(&self.message, &self.message_id).and_then(|input| input.to_json().err());
        match too_large {
            Some(error) => format!("no execution could be started: {error}"),
            None => "no execution was started, or it is not known any more".to_owned(),
        }
    }

    /// What was sent.
    pub fn body(&self) -> &str {
        self.message.body.as_deref().unwrap_or_default()
    }

    pub(super) fn receipt(&self) -> &str {
        self.message.receipt_handle.as_deref().unwrap_or_default()
    }

    /// The message attributes that its sender gave it.
    pub(super) fn attributes_of_sender(&self) -> HashMap<String, MessageAttributeValue> {
        let mut attributes = self.message.message_attributes.clone().unwrap_or_default();
        attributes.retain(|name, _| !OWN_ATTRIBUTES.contains(&name.as_str()));
        attributes
    }

    /// The trace that the message belongs to.
    pub(super) fn trace_header(&self) -> Option<&String> {
        trace_header(&self.message)
    }
}

fn trace_header(message: &Message) -> Option<&String> {
    message.attributes.as_ref()?.get(&MessageSystemAttributeName::AwsTraceHeader)
}

/// The input of the execution that the Lambda starts for this message; none where it starts none.
fn input(message: &Message, message_id: &str) -> Option<ExecutionInput> {
    let body = message.body.clone().unwrap_or_default();
    let asked = parse_body(&body);
    let message = statemachine::Message {
        id: message_id.to_owned(),
        body,
        // As long as the one that the Lambda would have had.
        receipt_handle: message.receipt_handle.clone().unwrap_or_default(),
        queue_url: String::new(),
        group_id: None,
        sent_id: None,
        trace_header: trace_header(message).and_then(|header| header.parse().ok()),
    };
    match asked {
        Ok(Body::Import(import)) => Some(ExecutionInput::of_import(import, message)),
        Ok(Body::S3TestEvent) => None,
        Err(invalid) => Some(ExecutionInput::of_invalid(invalid, message)),
    }
}

/// Letters for tests, of this crate and of those that show them.
#[cfg(any(test, feature = "samples"))]
#[expect(clippy::unwrap_used, reason = "a test fails by it")]
pub mod sample {
    use super::*;

    /// The id of every one.
    pub(super) const ID: &str = "f3f2a1de-6c1f-4a9e-8f6a-0a8d8f0d7a11";

    fn text(value: &str) -> MessageAttributeValue {
        MessageAttributeValue::builder().data_type("String").string_value(value).build().unwrap()
    }

    pub(super) fn message(body: &str, attributes: &[(&str, &str)], is_brought_by_queue: bool) -> Message {
        let mut message = Message::builder()
            .message_id(ID)
            .body(body)
            .receipt_handle("handle")
            .attributes(MessageSystemAttributeName::SentTimestamp, "1000000000123")
            .attributes(MessageSystemAttributeName::ApproximateReceiveCount, "6");
        if is_brought_by_queue {
            message = message.attributes(MessageSystemAttributeName::DeadLetterQueueSourceArn, "arn");
        }
        for (name, value) in attributes {
            message = message.message_attributes(*name, text(value));
        }
        message.build()
    }

    /// A letter with this body and these attributes, which its sender brought.
    pub fn letter(body: &str, attributes: &[(&str, &str)]) -> DeadLetter {
        parse(message(body, attributes, false))
    }

    pub(super) fn parse(message: Message) -> DeadLetter {
        DeadLetter::parse(message, |name| format!("arn:execution:import:{name}")).unwrap()
    }
}

#[cfg(test)]
mod tests {
    use super::sample::{ID, letter, message, parse};
    use super::*;

    const DEAD: [(&str, &str); 5] = [
        ("Error", "Import.TableMissing"),
        ("Cause", "there is no table"),
        ("ExecutionArn", "arn:execution:import:first"),
        ("MessageId", "first"),
        ("Who", "a sender"),
    ];

    #[test]
    fn the_copy_that_the_dead_letter_execution_sent_says_why_it_is_here() {
        let letter = letter(r#"{"import_id": 7}"#, &DEAD);
        assert_eq!(letter.brought_by, BroughtBy::DeadLetterExecution);
        assert_eq!(
            (letter.import_id.as_deref(), letter.error.as_deref()),
            (Some("7"), Some("Import.TableMissing"))
        );
        assert_eq!(letter.execution_arn, "arn:execution:import:first");
        assert_eq!(letter.sent_at.timestamp_millis(), 1_000_000_000_123);
        assert_eq!(letter.receives, 6);
        assert_eq!(letter.attributes_of_sender().into_keys().collect::<Vec<_>>(), ["Who"]);
    }

    #[test]
    fn a_message_that_the_queue_brought_is_known_by_its_body_and_its_own_id() {
        // The attributes are of an earlier time as a dead letter.
        let letter = parse(message(r#"{"import_id": 7}"#, &DEAD, true));
        assert_eq!(letter.brought_by, BroughtBy::RedrivePolicy);
        assert_eq!((letter.execution_arn, letter.error), (format!("arn:execution:import:7-{ID}"), None));
        let noise = parse(message("noise", &[], true));
        assert_eq!(
            (noise.execution_arn, noise.import_id),
            (format!("arn:execution:import:invalid-{ID}"), None)
        );
        let unreadable = parse(message(r#"{"import_id": 7, "tabel": "people"}"#, &[], true));
        assert_eq!(
            (unreadable.execution_arn, unreadable.import_id.as_deref(), unreadable.asks_for_import),
            (format!("arn:execution:import:invalid-{ID}"), Some("7"), false)
        );
    }

    #[test]
    fn a_message_that_is_too_large_for_an_execution_is_said_to_be() {
        let letter = parse(message(&"x".repeat(300_000), &[], true));
        assert!(
            letter.why_no_execution().contains("Step Functions takes 262144"),
            "{}",
            letter.why_no_execution()
        );
        assert_eq!(parse(message("{}", &[], false)).brought_by, BroughtBy::Sender);
    }
}
