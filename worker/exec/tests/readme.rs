//! The examples of the README, as they stand there.

use baton_exec::{Ended, Program};
use serde_json::json;

use crate::support::Run;

/// The example in this language.
fn example(language: &str) -> &'static str {
    let readme = include_str!("../README.md");
    let (_, from) = readme.split_once(&format!("```{language}\n")).unwrap();
    from.split_once("```").unwrap().0
}

#[test]
fn the_examples_of_the_readme_run() {
    for (language, command) in [("sh", ["sh", "-c"]), ("python", ["python3", "-c"]), ("js", ["node", "-e"])] {
        let mut run = Run::of(Program::new([command[0], command[1], example(language)]));
        run.input = json!({"numbers": [1, 2, 39]});
        let (report, seen) = run.end();
        assert_eq!(report.ended, Ended::Done { result: json!({"sum": 42}) }, "{language}: {seen:?}");
        assert_eq!(seen.stdout(), ["added 3 numbers"], "{language}");
        let progress = report.progress.unwrap();
        assert_eq!((progress.done, progress.unit.as_deref()), (Some(3), Some("numbers")), "{language}");
    }
}
