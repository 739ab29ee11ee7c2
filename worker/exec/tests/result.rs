//! What the program writes to BATON_RESULT.

use baton_exec::{Ended, Program, RESULT_LIMIT};
use serde_json::{Value, json};

use crate::support::Run;

#[test]
fn the_result_is_the_json_in_the_file_and_null_without_one() {
    assert_eq!(Run::sh("echo '{\"rows\": 3}' > \"$BATON_RESULT\"").result(), json!({"rows": 3}));
    assert_eq!(Run::sh("true").result(), Value::Null);
}

#[test]
fn a_result_that_is_not_whole_is_a_failure_that_says_so() {
    for (written, word) in
        [("'{\"rows\": 3'", "EOF"), ("'rows'", "not valid JSON"), ("''", "empty"), ("'1 2'", "trailing")]
    {
        let (error, cause, retry) = Run::sh(&format!("printf '%s' {written} > \"$BATON_RESULT\"")).failure();
        assert_eq!((error.as_str(), retry), ("Result.Invalid", false), "{written}");
        assert!(cause.contains(word), "{cause}");
        assert!(!cause.contains("rows"), "quotes what was written: {cause}");
    }
}

#[test]
fn a_result_at_the_limit_is_taken_and_one_above_is_a_failure() {
    let write = |bytes: usize| {
        Run::python(&format!(
            "import os\nopen(os.environ['BATON_RESULT'], 'w').write('\"' + 'x' * {} + '\"')",
            bytes - 2
        ))
    };
    assert_eq!(write(RESULT_LIMIT).result().as_str().map(str::len), Some(RESULT_LIMIT - 2));
    let (error, cause, retry) = write(RESULT_LIMIT + 1).failure();
    assert_eq!((error.as_str(), retry), ("Result.TooLarge", false));
    assert!(cause.contains("S3"), "{cause}");
}

#[test]
fn a_link_or_a_fifo_in_its_place_is_not_read() {
    for place in ["ln -s /etc/hostname", "mkfifo", "mkdir", "ln -s /dev/zero"] {
        let (error, cause, _) = Run::sh(&format!("{place} \"$BATON_RESULT\"")).failure();
        assert_eq!(error, "Result.Invalid", "{place}");
        assert!(cause.contains("not a regular file"), "{place}: {cause}");
    }
}

#[test]
fn a_failure_in_the_file_comes_with_its_name_and_its_class() {
    let written = r#"{"error": "NoSuchMonth", "cause": "there is no month 13", "retry": true}"#;
    let (error, cause, retry) = Run::sh(&format!("echo '{written}' > \"$BATON_RESULT\"; exit 1")).failure();
    assert_eq!((error.as_str(), cause.as_str(), retry), ("NoSuchMonth", "there is no month 13", true));
    let (error, cause, retry) =
        Run::sh("echo 'look here' >&2; echo '{\"error\": \"no month\"}' > \"$BATON_RESULT\"; exit 1")
            .failure();
    assert_eq!((error.as_str(), retry), ("no_month", false));
    assert!(cause.contains("\"no month\""), "{cause}");
}

#[test]
fn a_result_counts_only_with_an_exit_that_is_done() {
    let (error, _, retry) = Run::sh("echo 3 > \"$BATON_RESULT\"; exit 4").failure();
    assert_eq!((error.as_str(), retry), ("ExitCode.4", false));
    let mut run = Run::of(Program::new(["sh", "-c", "echo 3 > \"$BATON_RESULT\"; exit 4"]));
    run.program.exit_codes.done.push(4);
    assert!(matches!(run.end().0.ended, Ended::Done { .. }));
}
