//! Receipt handles. Each receive makes a new one; it names the queue, the message and the receive.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use diesel::prelude::*;

use super::attributes::MAX_VISIBILITY_TIMEOUT_S;
use super::fault::{Fault, invalid_value, shown};
use super::message::Message;
use super::queue::{Call, Queue};
use super::schema::messages;
use crate::wire::AwsError;

const VERSION: &str = "1";
const MAX_HANDLE_BYTES: usize = 1024;

/// What a receipt handle says.
pub(super) struct Receipt {
    pub(super) queue_id: i32,
    pub(super) message_id: String,
    /// Unique to the receive.
    pub(super) receive: String,
    pub(super) received_at: i64,
}

/// The message that a handle stands for.
pub(super) enum Held {
    /// This handle is of the message's last receive.
    Last(Box<Message>),
    /// The message was received again since.
    Superseded,
    /// Deleted, expired or moved.
    Gone,
}

impl Receipt {
    pub(super) fn to_handle(&self) -> String {
        let Self { queue_id, message_id, receive, received_at } = self;
        STANDARD.encode(format!("{VERSION} {queue_id} {message_id} {receive} {received_at}"))
    }

    fn parse(handle: &str) -> Option<Self> {
        if handle.len() > MAX_HANDLE_BYTES {
            return None;
        }
        let text = String::from_utf8(STANDARD.decode(handle).ok()?).ok()?;
        let mut parts = text.split(' ');
        if parts.next()? != VERSION {
            return None;
        }
        let receipt = Self {
            queue_id: parts.next()?.parse().ok()?,
            message_id: parts.next()?.to_owned(),
            receive: parts.next()?.to_owned(),
            received_at: parts.next()?.parse().ok()?,
        };
        parts.next().is_none().then_some(receipt)
    }

    /// Reads a handle of `queue`. Like AWS's, it is worth nothing after the 12 hours that a message can be hidden.
    pub(super) fn of(queue: &Queue, handle: &str, now: i64) -> Result<Self, AwsError> {
        let receipt =
            Self::parse(handle).filter(|receipt| receipt.queue_id == queue.id).ok_or_else(|| {
                let message =
                    format!("The input receipt handle \"{}\" is not a valid receipt handle.", shown(handle));
                AwsError::client("ReceiptHandleIsInvalid", message)
            })?;
        if now.saturating_sub(receipt.received_at) > MAX_VISIBILITY_TIMEOUT_S * 1000 {
            return Err(expired(handle));
        }
        Ok(receipt)
    }

    pub(super) fn find(&self, call: &mut Call) -> Result<Held, Fault> {
        let message = messages::table
            .filter(messages::queue_id.eq(self.queue_id))
            .filter(messages::message_id.eq(&self.message_id))
            .select(Message::as_select())
            .first(call.db)
            .optional()?;
        Ok(match message {
            None => Held::Gone,
            Some(message) if message.stored.receipt.as_deref() == Some(self.receive.as_str()) => {
                Held::Last(Box::new(message))
            }
            Some(_) => Held::Superseded,
        })
    }
}

pub(super) fn expired(handle: &str) -> AwsError {
    invalid_value("ReceiptHandle", handle, "The receipt handle has expired.")
}
