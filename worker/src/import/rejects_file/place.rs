//! Where an import's rejects file is: next to its source, under a name that no import is made of, and that no other attempt
//! has. A worker that was replaced and wakes writes a file of its own, not over that of the attempt which has succeeded.

use statemachine::{JobId, Source};

/// The longest key of an object, in bytes ("Naming Amazon S3 objects").
const MAX_KEY_BYTES: usize = 1024;

/// The longest name behind the last slash, in bytes: the embedded stack keeps objects as files.
const MAX_NAME_BYTES: usize = 255;

/// The place of one attempt's rejects file. Of a source whose name is too long for it the name is cut.
pub(super) fn place(source: &Source, import_id: &JobId, attempt: i32) -> Source {
    let ending = format!(".{import_id}.{attempt}.rejects");
    let (folder, name) = source.key.split_at(source.key.rfind('/').map_or(0, |slash| slash + 1));
    let name = cut(name, MAX_NAME_BYTES - ending.len());
    let key = format!("{folder}{name}");
    Source {
        bucket: source.bucket.clone(),
        key: format!("{}{ending}", cut(&key, MAX_KEY_BYTES - ending.len())),
    }
}

/// The beginning of a text, of whole characters.
fn cut(text: &str, max_bytes: usize) -> &str {
    text.get(..text.floor_char_boundary(max_bytes)).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(source: &str) -> String {
        let source = format!("s3://uploads/{source}").parse().unwrap();
        place(&source, &"people-1".parse().unwrap(), 2).key
    }

    #[test]
    fn every_attempt_has_a_rejects_file_of_its_own() {
        assert_eq!(key("a.csv"), "a.csv.people-1.2.rejects");
        assert_eq!(key("imports/people/名簿.csv"), "imports/people/名簿.csv.people-1.2.rejects");
    }

    #[test]
    fn the_key_of_a_rejects_file_is_never_too_long() {
        let long = "名".repeat(80);
        let cut = key(&format!("imports/{long}.csv"));
        let name = cut.strip_prefix("imports/").unwrap();
        assert!(
            name.len() <= 255 && name.starts_with("名名") && name.ends_with("名.people-1.2.rejects"),
            "{name}"
        );
        let deep = key(&format!("{}a.csv", "folder/".repeat(145)));
        assert!(deep.len() <= 1024 && deep.ends_with(".people-1.2.rejects"), "{deep}");
    }
}
