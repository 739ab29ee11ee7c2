//! A queue's row, and how an operation reaches it.

use diesel::prelude::*;

use super::attributes::QueueAttributes;
use super::fault::{Fault, queue_does_not_exist};
use super::names::{Names, in_url};
use super::schema::{messages, queues};

/// One operation while it runs: its transaction, and the moment it happens. No operation reads the clock.
pub(super) struct Call<'a> {
    pub(super) db: &'a mut SqliteConnection,
    pub(super) names: &'a Names,
    /// Milliseconds since 1970.
    pub(super) now: i64,
}

/// A queue.
#[derive(Clone, Queryable, Selectable)]
#[diesel(table_name = queues, check_for_backend(diesel::sqlite::Sqlite))]
pub(super) struct Queue {
    pub(super) id: i32,
    pub(super) name: String,
    #[diesel(embed)]
    pub(super) attributes: QueueAttributes,
    pub(super) created_at: i64,
    pub(super) modified_at: i64,
    pub(super) purged_at: Option<i64>,
}

impl Call<'_> {
    /// The queue of this name.
    pub(super) fn find_queue(&mut self, name: &str) -> Result<Option<Queue>, Fault> {
        let found = queues::table
            .filter(queues::name.eq(name))
            .select(Queue::as_select())
            .first(self.db)
            .optional()?;
        Ok(found)
    }

    /// The queue of this ARN.
    pub(super) fn find_queue_by_arn(&mut self, arn: &str) -> Result<Option<Queue>, Fault> {
        match self.names.in_arn(arn) {
            Some(name) => self.find_queue(name),
            None => Ok(None),
        }
    }

    /// The queue of this URL, without the messages whose time is over: they are dropped when somebody looks.
    pub(super) fn open_queue(&mut self, url: &str) -> Result<Queue, Fault> {
        let queue = self.find_queue(in_url(url))?.ok_or_else(queue_does_not_exist)?;
        self.drop_expired(&queue)?;
        Ok(queue)
    }

    pub(super) fn drop_expired(&mut self, queue: &Queue) -> Result<(), Fault> {
        let oldest = self.now - queue.attributes.retention_s * 1000;
        diesel::delete(messages::table)
            .filter(messages::queue_id.eq(queue.id))
            .filter(messages::sent_at.le(oldest))
            .execute(self.db)?;
        Ok(())
    }
}
