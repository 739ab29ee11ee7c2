//! What `assign-lane` tells `start-import` of a message: the id that its sender knows it by. It stands in the deduplication id,
//! which makes one message of two that were moved into the lane for one that was sent.

use crate::execution::Message;

const PREFIX: &str = "sent-";

/// The deduplication id of a message that was sent with this id and is moved into its lane.
#[must_use]
pub fn deduplication_id(sent_id: &str) -> String {
    format!("{PREFIX}{sent_id}")
}

/// The id that a message was sent with, by its deduplication id in the lane; none where it came there in another way, from
/// the dead-letter queue for one: that is another message, and starts another execution.
#[must_use]
pub fn sent_id(deduplication_id: &str) -> Option<&str> {
    deduplication_id.strip_prefix(PREFIX).filter(|id| Message::is_id(id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_moved_into_its_lane_has_an_id_from_before() {
        let id = "059f36b4-87a3-44ab-83d2-661975830a7d";
        assert_eq!(sent_id(&deduplication_id(id)), Some(id));
        for other in [id, "sent-", "sent-by me", ""] {
            assert_eq!(sent_id(other), None, "{other}");
        }
    }
}
