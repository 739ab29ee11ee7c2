//! How a file was read, as words of a command line: what another file of the same kind has to be imported with. Options that
//! bound an import, such as `--max-rejects`, are no part of that.

use statemachine::{EmptyFields, Encoding, Findings, ImportOptions, OnConflict, RecordLimit};

use crate::shell::option;

/// The reason of rows that are not of the file's encoding.
const UNDECODABLE: &str = "undecodable";

/// The reason of rows that have more bytes than a record may have.
const TOO_LARGE: &str = "record_too_large";

/// What can be done with a file of rejects once it is corrected, behind "corrected, FILE can be imported".
pub fn how_again(options: &ImportOptions, found: &Findings) -> String {
    match of_rejects(options, found) {
        words if words.is_empty() => "as it is".to_owned(),
        words => format!("again with: {words}"),
    }
}

/// The options that a file of rejects is imported with. It has a few rows of the file, of which another encoding might be
/// detected: that of the file is named.
pub fn of_rejects(options: &ImportOptions, found: &Findings) -> String {
    let mut options = options.clone();
    let detected = || found.encoding.as_ref()?.split_whitespace().next()?.parse::<Encoding>().ok();
    let is_plain =
        |encoding: &Encoding| *encoding == Encoding::Utf8 && !found.reasons.contains_key(UNDECODABLE);
    options.encoding = options.encoding.or_else(|| detected().filter(|encoding| !is_plain(encoding)));
    if found.reasons.contains_key(TOO_LARGE) {
        // With the same limit these rows are refused again: `of_too_large` says what helps.
        options.max_record_bytes = RecordLimit::default();
    }
    words(&options)
}

/// What has to be known before a file of rejects is imported again, each a sentence.
pub fn beforehand(options: &ImportOptions, found: &Findings) -> Vec<String> {
    let order = "a corrected row then counts last: it replaces one of the same key that stands behind it in the original file";
    let order = (options.on_conflict == OnConflict::Update).then(|| order.to_owned());
    order.into_iter().chain(of_too_large(options, found)).collect()
}

/// What helps with rows that are too large, of which a file of rejects has the line alone; none where there are none.
fn of_too_large(options: &ImportOptions, found: &Findings) -> Option<String> {
    let (rows, lines, them) = match found.reasons.get(TOO_LARGE)? {
        1 => ("1 row is".to_owned(), "its line", "it"),
        rows => (format!("{rows} rows are"), "their lines", "them"),
    };
    let (limit, most) = (options.max_record_bytes.bytes() as u64, *RecordLimit::RANGE.end());
    let helps = if limit < most {
        format!(
            "take {them} from the original file, with a larger --max-record-bytes: more than {limit}, up to {most}"
        )
    } else {
        format!("shorten {them} in the original file, no limit is larger than {most} bytes")
    };
    Some(format!("{rows} too large, and the file of rejects has {lines} alone: {helps}"))
}

/// The options as a shell reads them; empty where all are the usual ones.
fn words(options: &ImportOptions) -> String {
    let mut words = Words::default();
    words.value("encoding", options.encoding.map(|encoding| encoding.to_string()));
    words.value("delimiter", options.delimiter.map(|delimiter| delimiter.to_string()));
    words.value("escape", options.escape.map(|escape| escape.to_string()));
    words.value("null", options.null.clone());
    words.value("empty", options.empty.map(|empty| of_empty(empty).to_owned()));
    words.value("date-format", options.date_format.clone());
    words.flag("no-header", options.no_header);
    for (name, column) in &options.map {
        words.value("map", Some(format!("{name}={column}")));
    }
    words.flag("ignore-unknown", options.ignore_unknown);
    words.value("on-conflict", of_conflict(options.on_conflict).map(str::to_owned));
    words.value("key", Some(options.key.join(",")).filter(|key| !key.is_empty()));
    let limit = Some(options.max_record_bytes).filter(|limit| *limit != RecordLimit::default());
    words.value("max-record-bytes", limit.map(|limit| limit.to_string()));
    words.0.join(" ")
}

#[derive(Default)]
struct Words(Vec<String>);

impl Words {
    fn flag(&mut self, name: &str, is_set: bool) {
        if is_set {
            self.0.push(format!("--{name}"));
        }
    }

    fn value(&mut self, name: &str, value: Option<String>) {
        self.0.extend(value.map(|value| option(name, &value)));
    }
}

fn of_empty(empty: EmptyFields) -> &'static str {
    match empty {
        EmptyFields::Quoted => "quoted",
        EmptyFields::Null => "null",
        EmptyFields::Text => "text",
    }
}

fn of_conflict(conflict: OnConflict) -> Option<&'static str> {
    match conflict {
        OnConflict::Error => None,
        OnConflict::Skip => Some("skip"),
        OnConflict::Update => Some("update"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(json: &str) -> ImportOptions {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn every_option_of_reading_can_be_typed_again() {
        let json = r#"{"max_rejects":"1%","ignore_unknown":true,"encoding":"windows-1250","delimiter":"tab","escape":"\\",
            "map":{"It's":"its","-x":"y"},"null":"\\N","empty":"null","date_format":"%d.%m.%Y","on_conflict":"update",
            "key":["id","Name 2"],"limit":5,"max_record_bytes":1048576,"once":true}"#;
        assert_eq!(
            words(&options(json)),
            r"--encoding windows-1250 --delimiter tab --escape '\' --null '\N' --empty null --date-format %d.%m.%Y --map=-x=y --map 'It'\''s=its' --ignore-unknown --on-conflict update --key 'id,Name 2' --max-record-bytes 1048576"
        );
        assert_eq!(words(&options(r#"{"no_header":true,"max_rejects":3,"once":true}"#)), "--no-header");
        assert_eq!(words(&options(r#"{"null":"-","delimiter":";"}"#)), "--delimiter ';' --null=-");
        assert_eq!(words(&options(r#"{"null":"a\tb'"}"#)), r"--null $'a\U00000009b\''");
        assert_eq!(words(&ImportOptions::default()), "");
    }

    #[test]
    fn without_options_a_file_can_be_imported_as_it_is() {
        let how_again = |json| how_again(&options(json), &Findings::default());
        assert_eq!(how_again(r#"{"max_rejects":"50%"}"#), "as it is");
        assert_eq!(how_again(r#"{"null":"\\N"}"#), r"again with: --null '\N'");
    }

    #[test]
    fn a_limit_that_rows_exceed_is_not_given_again() {
        let found = |reason: &str, rows| Findings {
            reasons: [(reason.to_owned(), rows)].into(),
            ..Findings::default()
        };
        let of = |bytes: u32| options(&format!(r#"{{"max_record_bytes":{bytes}}}"#));
        assert_eq!(how_again(&of(1024), &found("field_count", 1)), "again with: --max-record-bytes 1024");
        assert_eq!(of_too_large(&of(1024), &found("field_count", 1)), None);
        assert_eq!(how_again(&of(1024), &found(TOO_LARGE, 1)), "as it is");
        assert_eq!(
            of_too_large(&of(1024), &found(TOO_LARGE, 1)).unwrap(),
            "1 row is too large, and the file of rejects has its line alone: take it from the original file, with a larger \
             --max-record-bytes: more than 1024, up to 268435456"
        );
        assert_eq!(
            of_too_large(&ImportOptions::default(), &found(TOO_LARGE, 2)).unwrap(),
            "2 rows are too large, and the file of rejects has their lines alone: take them from the original file, with a larger \
             --max-record-bytes: more than 16777216, up to 268435456"
        );
        assert_eq!(
            of_too_large(&of(268_435_456), &found(TOO_LARGE, 1)).unwrap(),
            "1 row is too large, and the file of rejects has its line alone: shorten it in the original file, no limit is larger than \
             268435456 bytes"
        );
    }

    #[test]
    fn the_encoding_that_was_detected_in_the_whole_file_is_named_for_a_few_rows_of_it() {
        for (encoding, reason, expected) in [
            ("windows-1252 (detected)", "not_integer", "again with: --encoding windows-1252"),
            ("utf-16le (byte order mark)", "not_integer", "again with: --encoding utf-16le"),
            ("utf-8 (detected)", "not_integer", "as it is"),
            ("utf-8 (detected)", "undecodable", "again with: --encoding utf-8"),
        ] {
            let reasons = [(reason.to_owned(), 1)].into();
            let found = Findings { encoding: Some(encoding.to_owned()), reasons, ..Findings::default() };
            assert_eq!(how_again(&ImportOptions::default(), &found), expected);
        }
        let found = Findings { encoding: Some("cp932 (declared)".to_owned()), ..Findings::default() };
        assert_eq!(how_again(&options(r#"{"encoding":"cp932"}"#), &found), "again with: --encoding cp932");
    }
}
