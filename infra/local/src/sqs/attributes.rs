//! A queue's attributes: typed inside, a map of strings on the wire. An attribute that the stack does not act on is
//! accepted only with the value that describes what the stack does, and refused by name otherwise.

use std::collections::BTreeMap;

use diesel::backend::Backend;
use diesel::deserialize::{FromSql, FromSqlRow};
use diesel::expression::AsExpression;
use diesel::prelude::{AsChangeset, Insertable, Queryable, Selectable};
use diesel::serialize::{IsNull, Output, ToSql};
use diesel::sql_types::Text;
use diesel::sqlite::Sqlite;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::fault::{invalid_attribute, invalid_value, unknown_attribute, unsupported};
use super::schema::queues;
use crate::wire::AwsError;

/// The longest that a message can be hidden, in seconds.
pub(super) const MAX_VISIBILITY_TIMEOUT_S: i64 = 43_200;
/// The longest that a message can be delayed, in seconds.
pub(super) const MAX_DELAY_S: i64 = 900;
/// The longest that a receive can wait, in seconds.
pub(super) const MAX_WAIT_S: i64 = 20;
/// The most bytes that a message, or a batch of them, can have.
pub(super) const MAX_MESSAGE_BYTES: i64 = 1_048_576;

/// What can be set on a queue. The default is AWS's.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = queues, treat_none_as_null = true)]
pub struct QueueAttributes {
    /// `VisibilityTimeout`: for how many seconds a receive hides a message, 0 to 43,200.
    pub visibility_timeout_s: i64,
    /// `MessageRetentionPeriod`: after how many seconds a message is dropped, 60 to 1,209,600.
    pub retention_s: i64,
    /// `DelaySeconds`: after how many seconds a new message can be received, 0 to 900.
    pub delay_s: i64,
    /// `MaximumMessageSize`: how many bytes a message can have, 1,024 to 1,048,576.
    pub maximum_message_bytes: i64,
    /// `ReceiveMessageWaitTimeSeconds`: for how many seconds a receive waits, 0 to 20.
    pub wait_s: i64,
    /// `RedrivePolicy`: where messages go that were received too often.
    pub redrive_policy: Option<RedrivePolicy>,
    /// `FifoQueue`: whether the queue keeps the order of each message group.
    pub fifo: bool,
    /// `ContentBasedDeduplication`: whether a message's body is its deduplication id.
    pub content_based_deduplication: bool,
}

impl Default for QueueAttributes {
    fn default() -> Self {
        Self {
            visibility_timeout_s: 30,
            retention_s: 345_600,
            delay_s: 0,
            maximum_message_bytes: MAX_MESSAGE_BYTES,
            wait_s: 0,
            redrive_policy: None,
            fifo: false,
            content_based_deduplication: false,
        }
    }
}

/// Where messages go that were received too often.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, AsExpression, FromSqlRow)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[diesel(sql_type = Text)]
pub struct RedrivePolicy {
    /// The ARN of the dead-letter queue.
    pub dead_letter_target_arn: String,
    /// How often a message can be received, 1 to 1,000; instead of the next receive it is moved.
    pub max_receive_count: i64,
}

impl ToSql<Text, Sqlite> for RedrivePolicy {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> diesel::serialize::Result {
        out.set_value(serde_json::to_string(self)?);
        Ok(IsNull::No)
    }
}

impl FromSql<Text, Sqlite> for RedrivePolicy {
    fn from_sql(bytes: <Sqlite as Backend>::RawValue<'_>) -> diesel::deserialize::Result<Self> {
        let text = <String as FromSql<Text, Sqlite>>::from_sql(bytes)?;
        Ok(serde_json::from_str(&text)?)
    }
}

impl RedrivePolicy {
    /// Reads the attribute's JSON. AWS takes the count as a number or as a string.
    fn parse(text: &str) -> Result<Self, AwsError> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase", deny_unknown_fields)]
        struct Policy {
            dead_letter_target_arn: Option<String>,
            max_receive_count: Option<Value>,
        }
        let invalid = |reason: &str| invalid_value("RedrivePolicy", text, reason);
        let policy: Policy = serde_json::from_str(text)
            .map_err(|_| invalid("Redrive policy is not a valid JSON map of its attributes."))?;
        let mandatory =
            |name: &str| invalid(&format!("Redrive policy does not contain mandatory attribute: {name}."));
        let dead_letter_target_arn =
            policy.dead_letter_target_arn.ok_or_else(|| mandatory("deadLetterTargetArn"))?;
        let count = policy.max_receive_count.ok_or_else(|| mandatory("maxReceiveCount"))?;
        let max_receive_count = match &count {
            Value::Number(number) => number.as_i64(),
            Value::String(digits) => digits.parse().ok(),
            _ => None,
        };
        let max_receive_count = max_receive_count.filter(|count| (1..=1000).contains(count)).ok_or_else(|| {
            invalid(&format!(
                "Invalid value for maxReceiveCount: {count}, valid values are from 1 to 1000 both inclusive."
            ))
        })?;
        Ok(Self { dead_letter_target_arn, max_receive_count })
    }
}

impl QueueAttributes {
    /// Changes the attributes that `changes` names. `new` is true for a queue that is being created: only then can it
    /// become a FIFO queue.
    pub(super) fn apply(&mut self, changes: &BTreeMap<String, String>, new: bool) -> Result<(), AwsError> {
        // First, because other attributes depend on it.
        if let Some(value) = changes.get("FifoQueue") {
            // AWS knows the attribute on FIFO queues only, with the one value.
            match (value.as_str(), new || self.fifo) {
                ("true", true) => self.fifo = true,
                ("true", false) => {
                    return Err(invalid_attribute("FifoQueue", "Modifying queue type is not supported."));
                }
                _ => return Err(unknown_attribute("FifoQueue")),
            }
        }
        for (name, value) in changes {
            let number = |range: std::ops::RangeInclusive<i64>| {
                let number = value.parse().ok().filter(|number| range.contains(number));
                number.ok_or_else(|| invalid_attribute(name, ""))
            };
            match name.as_str() {
                "FifoQueue" => {}
                "VisibilityTimeout" => self.visibility_timeout_s = number(0..=MAX_VISIBILITY_TIMEOUT_S)?,
                "MessageRetentionPeriod" => self.retention_s = number(60..=1_209_600)?,
                "DelaySeconds" => self.delay_s = number(0..=MAX_DELAY_S)?,
                "MaximumMessageSize" => self.maximum_message_bytes = number(1024..=MAX_MESSAGE_BYTES)?,
                "ReceiveMessageWaitTimeSeconds" => self.wait_s = number(0..=MAX_WAIT_S)?,
                // An empty policy takes it away.
                "RedrivePolicy" if value.is_empty() => self.redrive_policy = None,
                "RedrivePolicy" => self.redrive_policy = Some(RedrivePolicy::parse(value)?),
                "ContentBasedDeduplication" if self.fifo => {
                    self.content_based_deduplication =
                        value.parse().map_err(|_| invalid_attribute(name, ""))?;
                }
                "DeduplicationScope" if self.fifo && value == "queue" => {}
                "FifoThroughputLimit" if self.fifo && value == "perQueue" => {}
                "ContentBasedDeduplication" | "DeduplicationScope" | "FifoThroughputLimit" if !self.fifo => {
                    return Err(unknown_attribute(name));
                }
                "SqsManagedSseEnabled" if value == "false" => {}
                "DeduplicationScope"
                | "FifoThroughputLimit"
                | "KmsDataKeyReusePeriodSeconds"
                | "KmsMasterKeyId"
                | "Policy"
                | "RedriveAllowPolicy"
                | "SqsManagedSseEnabled" => {
                    return Err(unsupported(&format!("this value of the queue attribute {name}")));
                }
                _ => return Err(unknown_attribute(name)),
            }
        }
        Ok(())
    }

    /// Whether the values are such as the wire would let through.
    pub(super) fn check(&self) -> Result<(), AwsError> {
        if self.content_based_deduplication && !self.fifo {
            return Err(unknown_attribute("ContentBasedDeduplication"));
        }
        let wire = self.to_map().into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        Self::default().apply(&wire, true)
    }

    /// The attributes as the wire has them.
    pub(super) fn to_map(&self) -> BTreeMap<&'static str, String> {
        let mut map = BTreeMap::from([
            ("VisibilityTimeout", self.visibility_timeout_s.to_string()),
            ("MessageRetentionPeriod", self.retention_s.to_string()),
            ("DelaySeconds", self.delay_s.to_string()),
            ("MaximumMessageSize", self.maximum_message_bytes.to_string()),
            ("ReceiveMessageWaitTimeSeconds", self.wait_s.to_string()),
            ("SqsManagedSseEnabled", "false".to_owned()),
        ]);
        if let Some(policy) = &self.redrive_policy {
            map.insert(
                "RedrivePolicy",
                serde_json::json!({
                    "deadLetterTargetArn": policy.dead_letter_target_arn,
                    "maxReceiveCount": policy.max_receive_count,
                })
                .to_string(),
            );
        }
        if self.fifo {
            map.insert("FifoQueue", "true".to_owned());
            map.insert("ContentBasedDeduplication", self.content_based_deduplication.to_string());
            map.insert("DeduplicationScope", "queue".to_owned());
            map.insert("FifoThroughputLimit", "perQueue".to_owned());
        }
        map
    }
}
