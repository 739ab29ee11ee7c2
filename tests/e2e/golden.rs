//! What `baton` prints, word for word: the help of every verb, and every verb's output in one story. A verb's help is found
//! by itself; an output is one line in [`STORY`]. `UPDATE_GOLDEN=1 cargo test -p e2e --test e2e -- golden` writes the files
//! anew; read the difference before it is committed.

pub(crate) mod scrub;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::command_line::Up;
use crate::desk::{Desk, Ended};

/// What is typed, one after the other, in one folder; the name is that of the file with what is printed.
const STORY: &[(&str, &[&str])] = &[
    ("imports-none", &["imports"]),
    ("run", &["run", "people.csv", "--table", "people", "--create-table", "--id", "people-1"]),
    ("run-again", &["run", "people.csv", "--table", "people", "--id", "people-2"]),
    ("run-failed", &["run", "bad.csv", "--table", "people", "--id", "bad-1"]),
    ("run-json", &["run", "bad.csv", "--table", "people", "--id", "bad-2", "--json"]),
    ("run-usage", &["run", "people.csv"]),
    ("imports", &["imports"]),
    ("imports-json", &["imports", "--json"]),
    ("imports-filtered", &["imports", "--status", "failure", "--since", "1h"]),
    ("logs", &["logs", "bad-1"]),
    ("cancel", &["cancel", "people-1"]),
    ("show", &["show", "people-1"]),
    ("show-failed", &["show", "bad-1"]),
    ("show-json", &["show", "bad-1", "--json"]),
    ("rejects", &["rejects", "bad-1"]),
    ("rejects-csv", &["rejects", "bad-1", "--csv"]),
    ("rejects-json", &["rejects", "bad-1", "--json"]),
    ("dlq-list", &["dlq", "list"]),
    ("dlq-list-json", &["dlq", "list", "--json"]),
    ("dlq-show", &["dlq", "show", "bad-1"]),
    ("dlq-show-json", &["dlq", "show", "bad-1", "--json"]),
    ("redrive-all", &["redrive", "--all-failed"]),
    ("redrive", &["redrive", "bad-1"]),
    ("redrive-json", &["redrive", "people-1", "--json"]),
    ("dlq-redrive", &["dlq", "redrive", "bad-1"]),
    ("dlq-redrive-json", &["dlq", "redrive", "bad-2", "--json"]),
    ("dlq-drop", &["dlq", "drop", "--all"]),
    ("dlq-drop-json", &["dlq", "drop", "--all", "--yes", "--json"]),
    ("migrate", &["migrate"]),
    ("migrate-json", &["migrate", "--check", "--json"]),
    ("doctor", &["doctor"]),
    ("doctor-json", &["doctor", "--json"]),
    ("unknown-verb", &["imprts"]),
];

/// What is typed while a stack is up.
const STORY_BESIDE_A_STACK: &[(&str, &[&str])] = &[
    ("submit", &["submit", "people.csv", "--table", "people", "--id", "people-3"]),
    (
        "submit-follow",
        &[
            "submit",
            "people.csv",
            "--table",
            "people",
            "--id",
            "people-4",
            "--on-conflict",
            "skip",
            "--follow",
        ],
    ),
    ("up-twice", &["up"]),
];

/// The files in one folder below `golden`.
struct Golden {
    dir: PathBuf,
    is_update: bool,
    seen: BTreeSet<String>,
    differences: Vec<String>,
}

impl Golden {
    fn open(folder: &str) -> Self {
        let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("e2e/golden").join(folder);
        #[expect(clippy::disallowed_methods, reason = "a test's switch, for whoever runs it by hand")]
        let is_update = std::env::var_os("UPDATE_GOLDEN").is_some();
        if is_update {
            std::fs::create_dir_all(&dir).unwrap();
        }
        Self { dir, is_update, seen: BTreeSet::new(), differences: Vec::new() }
    }

    /// Holds what was printed to its file.
    fn hold(&mut self, name: &str, printed: &str) {
        self.seen.insert(format!("{name}.txt"));
        let path = self.dir.join(format!("{name}.txt"));
        let expected = std::fs::read_to_string(&path).unwrap_or_default();
        if self.is_update && expected != printed {
            std::fs::write(path, printed).unwrap();
        } else if expected != printed {
            let line = expected.lines().zip(printed.lines()).take_while(|(one, other)| one == other).count();
            let of = |text: &str| text.lines().nth(line).unwrap_or("(its end)").to_owned();
            self.differences.push(format!(
                "{name}.txt, line {}:\n  expected {}\n  printed  {}\n{printed}",
                line + 1,
                of(&expected),
                of(printed)
            ));
        }
    }

    /// Fails where something differed, or a file belongs to nothing any more.
    fn end(self) {
        let files = std::fs::read_dir(&self.dir).unwrap().flatten();
        let names = files.map(|entry| entry.file_name().into_string().unwrap());
        let stale: Vec<_> =
            names.filter(|name| name.ends_with(".txt") && !self.seen.contains(name)).collect();
        assert!(
            stale.is_empty(),
            "in {}, nothing prints {stale:?} any more: delete them",
            self.dir.display()
        );
        assert!(
            self.differences.is_empty(),
            "what is printed has changed; if that was meant, UPDATE_GOLDEN=1 writes the files anew:\n{}",
            self.differences.join("\n")
        );
    }
}

/// A step as a file has it.
fn told(desk: &Desk, arguments: &[&str], ended: &Ended) -> String {
    let (code, stdout, stderr) = (ended.code.unwrap_or(-1), &ended.stdout, &ended.stderr);
    let told = format!(
        "$ baton {}\nexit code {code}\n--- stdout\n{stdout}--- stderr\n{stderr}",
        arguments.join(" ")
    );
    scrub::scrubbed(&told, desk.path())
}

/// The verbs that a help names.
fn verbs(help: &str) -> Vec<String> {
    let lines = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let lines = lines.take_while(|line| !line.is_empty());
    // What stands further right goes on with the line above.
    let verbs =
        lines.filter_map(|line| line.strip_prefix("  ")?.split(' ').next()).filter(|verb| !verb.is_empty());
    verbs.filter(|verb| *verb != "help").map(str::to_owned).collect()
}

#[tokio::test]
async fn golden_help_is_what_every_verb_says_of_itself() {
    let desk = Desk::new();
    let mut golden = Golden::open("help");
    let mut waiting = vec![Vec::new()];
    while let Some(verb) = waiting.pop() {
        let arguments: Vec<_> = verb.iter().map(String::as_str).chain(["--help"]).collect();
        let ended = desk.baton(&arguments).await;
        assert_eq!(ended.code, Some(0), "{ended:#?}");
        assert!(ended.stdout.contains("Examples:"), "{verb:?} has no examples: {}", ended.stdout);
        waiting.extend(verbs(&ended.stdout).into_iter().map(|below| [verb.clone(), vec![below]].concat()));
        let name = if verb.is_empty() { "baton".to_owned() } else { verb.join("-") };
        golden.hold(&name, &ended.stdout);
    }
    assert!(golden.seen.len() > 12, "{:?}", golden.seen);
    golden.end();
}

#[tokio::test(flavor = "multi_thread")]
async fn golden_output_is_what_every_verb_prints_in_one_story() {
    let desk = Desk::new();
    desk.file("people.csv", "id,name,born\n1,山田 太郎,1990-01-31\n2,Ada Lovelace,1815-12-10\n");
    desk.file(
        "bad.csv",
        "id,name,born\n3,Grace Hopper,1906-12-09\nfour,Alan Turing,1912-06-23\n5,Edsger,yesterday\n",
    );
    let mut golden = Golden::open("");
    for (name, arguments) in STORY {
        let ended = desk.baton(arguments).await;
        golden.hold(name, &told(&desk, arguments, &ended));
    }
    let up = Up::start(&desk).await;
    for (name, arguments) in STORY_BESIDE_A_STACK {
        let ended = desk.baton(arguments).await;
        golden.hold(name, &told(&desk, arguments, &ended));
    }
    assert_eq!(up.stop().await, Some(0));
    golden.end();
}
