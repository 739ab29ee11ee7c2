//! A message's row, its number and its way from queue to queue.

use diesel::prelude::*;

use super::fault::Fault;
use super::queue::{Call, Queue};
use super::schema::messages;

/// A message, with the number that orders it.
#[derive(Clone, Queryable, Selectable)]
#[diesel(table_name = messages, check_for_backend(diesel::sqlite::Sqlite))]
pub(super) struct Message {
    pub(super) sequence: i64,
    #[diesel(embed)]
    pub(super) stored: Stored,
}

/// What is stored of a message; see the migration for the columns.
#[derive(Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = messages, check_for_backend(diesel::sqlite::Sqlite))]
pub(super) struct Stored {
    pub(super) queue_id: i32,
    pub(super) message_id: String,
    pub(super) body: String,
    pub(super) attributes: String,
    pub(super) trace_header: Option<String>,
    pub(super) group_id: Option<String>,
    pub(super) deduplication_id: Option<String>,
    pub(super) sent_at: i64,
    pub(super) visible_at: i64,
    pub(super) first_received_at: Option<i64>,
    pub(super) receive_count: i64,
    pub(super) receives_here: i64,
    pub(super) receipt: Option<String>,
    pub(super) source_arn: Option<String>,
}

impl Stored {
    /// Stores the message behind all others and gives it its number.
    pub(super) fn insert(&self, call: &mut Call) -> Result<i64, Fault> {
        let sequence = diesel::insert_into(messages::table)
            .values(self)
            .returning(messages::sequence)
            .get_result(call.db)?;
        Ok(sequence)
    }
}

impl Message {
    pub(super) fn delete(&self, call: &mut Call) -> Result<(), Fault> {
        diesel::delete(messages::table.find(self.sequence)).execute(call.db)?;
        Ok(())
    }

    /// Takes the message out of its queue, to be put into another: visible at once, held by nobody.
    fn take(self, call: &mut Call, to: &Queue) -> Result<Stored, Fault> {
        self.delete(call)?;
        let mut stored = self.stored;
        stored.queue_id = to.id;
        stored.visible_at = call.now;
        stored.receives_here = 0;
        stored.receipt = None;
        Ok(stored)
    }

    /// Moves the message as `from`'s redrive policy says. It stays the same message. A standard queue keeps its age
    /// too, so that it is dropped when the dead-letter queue's retention has passed since it was first sent; in a FIFO
    /// queue it starts anew.
    pub(super) fn dead_letter(self, call: &mut Call, from: &Queue, to: &Queue) -> Result<(), Fault> {
        let mut stored = self.take(call, to)?;
        stored.source_arn = Some(call.names.arn(&from.name));
        if to.attributes.fifo {
            stored.sent_at = call.now;
            stored.deduplication_id = Some(stored.message_id.clone());
        }
        stored.insert(call)?;
        tracing::info!(
            message_id = %stored.message_id, queue = %from.name, dead_letter_queue = %to.name,
            "Moved message {} from {} to {}: it was received too often",
            stored.message_id, from.name, to.name
        );
        Ok(())
    }

    /// Moves the message on an operator's behalf: it becomes a new message.
    pub(super) fn redrive(self, call: &mut Call, to: &Queue) -> Result<(), Fault> {
        let mut stored = self.take(call, to)?;
        stored.message_id = uuid::Uuid::new_v4().to_string();
        stored.sent_at = call.now;
        stored.first_received_at = None;
        stored.receive_count = 0;
        stored.source_arn = None;
        stored.insert(call)?;
        Ok(())
    }
}

/// A FIFO queue's number of a message: 20 digits, like AWS's, so that texts and numbers order alike.
pub(super) fn sequence_number(sequence: i64) -> String {
    format!("1{sequence:019}")
}
