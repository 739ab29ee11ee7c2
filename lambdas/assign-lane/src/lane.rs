//! Which lane a message belongs to. A lane is a message group of the FIFO queue: SQS gives out no second message of a group
//! while it has one in flight, so that as many imports run as there are lanes, and nothing is counted.

use std::num::NonZeroU32;

use sha2::{Digest as _, Sha256};
use statemachine::{Body, parse_body};

/// What a message asks for, as far as its lane goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Asks {
    /// For an import, or for nothing that can be understood, which an execution is to say: in this lane.
    For {
        /// The message group.
        lane: String,
        /// The import.
        import_id: Option<String>,
    },
    /// For nothing: S3's test of a new notification.
    ForNothing,
}

/// The lane of a message: that of its import, so that two messages for one import follow one another, else one by the
/// message's own id.
pub(crate) fn of(message_id: &str, body: &str, lanes: NonZeroU32) -> Asks {
    match parse_body(body) {
        Ok(Body::Import(import)) => {
            let import_id = import.import_id.as_str();
            Asks::For { lane: lane(import_id, lanes), import_id: Some(import_id.to_owned()) }
        }
        Ok(Body::S3TestEvent) => Asks::ForNothing,
        Err(_) => Asks::For { lane: lane(message_id, lanes), import_id: None },
    }
}

/// Stable: another version of the function must give an import the same lane.
fn lane(key: &str, lanes: NonZeroU32) -> String {
    let hash = Sha256::digest(key).into_iter().take(8).fold(0_u64, |hash, byte| hash << 8 | u64::from(byte));
    format!("lane-{}", hash % u64::from(lanes.get()))
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    const LANES: NonZeroU32 = NonZeroU32::new(20).unwrap();

    fn lane_of(message_id: &str, body: &str) -> String {
        match of(message_id, body, LANES) {
            Asks::For { lane, .. } => lane,
            Asks::ForNothing => panic!("{body} asks for nothing"),
        }
    }

    #[test]
    fn two_messages_for_one_import_are_in_one_lane() {
        let described = r#"{"import_id": "a", "source": "s3://b/k.csv", "table": "t"}"#;
        assert_eq!(lane_of("1", r#"{"import_id": "a"}"#), lane_of("2", described));
        // What another version has to come to as well.
        assert_eq!(lane_of("1", r#"{"import_id": "a"}"#), "lane-10");
    }

    #[test]
    fn what_asks_for_no_import_has_a_lane_by_its_own_id() {
        let lanes: Vec<_> = (0..40).map(|id| lane_of(&format!("message-{id}"), "noise")).collect();
        assert!(lanes.iter().any(|lane| *lane != lanes[0]));
        let test = r#"{"Service":"Amazon S3","Event":"s3:TestEvent","Bucket":"b"}"#;
        assert_eq!(of("1", test, LANES), Asks::ForNothing);
    }

    #[test]
    fn lanes_fill_evenly() {
        let mut filled: HashMap<String, u32> = HashMap::new();
        for id in 0..20_000 {
            *filled.entry(lane_of("1", &format!(r#"{{"import_id": {id}}}"#))).or_default() += 1;
        }
        assert_eq!(filled.len(), 20);
        // A thousand each; the spread of a fair draw is 31.
        assert!(filled.values().all(|count| (850..1150).contains(count)), "{filled:?}");
    }
}
