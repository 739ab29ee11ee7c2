//! What the documents promise is held by tests: those that they name exist, and the Japanese README says what the English
//! one does.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;
use statemachine::{Findings, ImportOptions, ImportResult, RejectedRow, RejectsFile, Report};

use crate::workspace::{metadata, top};

/// The words between backticks that look like the name of a test.
fn named_tests(markdown: &str) -> BTreeSet<&str> {
    let quoted = markdown.split('`').skip(1).step_by(2);
    quoted
        .filter(|word| {
            word.matches('_').count() >= 3 && word.bytes().all(|b| b.is_ascii_lowercase() || b == b'_')
        })
        .collect()
}

/// The sources of all tests below a folder.
fn sources(dir: &Path, text: &mut String) {
    for entry in std::fs::read_dir(dir).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            // cargo marks its build folders so; a folder of sources may be called `target` as well.
            if !path.join("CACHEDIR.TAG").exists() && !path.ends_with(".git") {
                sources(&path, text);
            }
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            text.push_str(&std::fs::read_to_string(&path).unwrap());
        }
    }
}

#[test]
fn every_test_that_the_architecture_names_exists() {
    let top = top();
    let architecture = std::fs::read_to_string(top.join("ARCHITECTURE.md")).unwrap();
    let named = named_tests(&architecture);
    assert!(named.len() > 10, "the promises name their tests: {named:?}");
    let mut code = String::new();
    for folder in ["statemachine", "lambdas", "worker", "infra", "tests"] {
        sources(&top.join(folder), &mut code);
    }
    let missing: Vec<_> = named.into_iter().filter(|name| !code.contains(&format!("fn {name}("))).collect();
    assert!(missing.is_empty(), "no such tests: {missing:#?}");
}

#[test]
fn every_test_program_that_the_justfile_names_is_there() {
    let justfile = std::fs::read_to_string(top().join("justfile")).unwrap();
    let named: BTreeSet<_> =
        justfile.split("--test ").skip(1).filter_map(|rest| rest.split_whitespace().next()).collect();
    assert!(!named.is_empty(), "{justfile}");
    let metadata = metadata();
    let packages = metadata["packages"].as_array().unwrap().iter();
    let targets = packages.flat_map(|package| package["targets"].as_array().unwrap());
    let programs = targets.filter(|target| target["kind"][0] == "test");
    let programs: BTreeSet<_> = programs.map(|target| target["name"].as_str().unwrap()).collect();
    assert!(named.is_subset(&programs), "{named:?} are not all among {programs:?}");
}

/// The names of all fields of a struct: one that is left out, or that is there no more, does not compile.
macro_rules! fields {
    ($of:ident { $($field:ident),* $(,)? }) => {{
        let _ = |value: $of| {
            let $of { $($field: _),* } = value;
        };
        [$(stringify!($field)),*]
    }};
}

#[test]
fn every_option_and_every_finding_stands_in_the_workers_readme() {
    let readme = std::fs::read_to_string(top().join("worker/README.md")).unwrap();
    let options = fields!(ImportOptions {
        max_rejects,
        ignore_unknown,
        encoding,
        delimiter,
        escape,
        no_header,
        map,
        null,
        empty,
        date_format,
        on_conflict,
        key,
        dry_run,
        limit,
        max_record_bytes,
        once,
        rebuild_indexes,
    });
    for option in options {
        let row = format!("| `{option}` | `--{}", option.replace('_', "-"));
        assert!(readme.contains(&row), "{row:?} is missing");
    }
    let report = fields!(Report { id, kind, outcome, attempt, elapsed_ms, result });
    let result = fields!(ImportResult { table, rows, rejects, bytes, findings });
    let findings = fields!(Findings {
        encoding,
        delimiter,
        compression,
        rows_read,
        updated,
        skipped,
        duplicates,
        dropped,
        dry_run,
        sha256,
        table,
        same_file_as,
        reasons,
        first_rejects,
        rejects_file,
        notes,
    });
    let rejected = fields!(RejectedRow { record, line, byte, column, value, reason, says });
    let rejects_file = fields!(RejectsFile { source, rows });
    for field in [&report[..], &result, &findings, &rejected, &rejects_file].concat() {
        assert!(readme.contains(&format!("`{field}`")), "{field:?} is missing");
    }
}

/// The names of all fields of a JSON document.
fn names(of: &Value, names: &mut BTreeSet<String>) {
    match of {
        // How many were rejected for which reason: reasons have a table of their own.
        Value::Object(fields) => {
            for (name, value) in fields.iter() {
                names.insert(name.clone());
                if name != "reasons" {
                    self::names(value, names);
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| self::names(item, names)),
        _ => {}
    }
}

#[test]
fn every_field_that_baton_prints_stands_in_its_readme() {
    let top = top();
    // The worker's says what is found in a file.
    let readmes = ["infra/cli/README.md", "worker/README.md"];
    let readme = readmes.map(|file| std::fs::read_to_string(top.join(file)).unwrap()).concat();
    let mut printed = BTreeSet::new();
    for entry in std::fs::read_dir(top.join("tests/e2e/golden")).unwrap() {
        let path = entry.unwrap().path();
        if !path.to_str().unwrap().ends_with("-json.txt") {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        let (_, json) = text.split_once("--- stdout\n").unwrap();
        let (json, _) = json.split_once("--- stderr\n").unwrap();
        let json: Value =
            serde_json::from_str(json).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        names(&json, &mut printed);
    }
    assert!(printed.len() > 60, "{printed:?}");
    let missing: Vec<_> = printed.iter().filter(|name| !readme.contains(&format!("`{name}`"))).collect();
    assert!(missing.is_empty(), "{readmes:?} say nothing of {missing:?}");
}

/// What does not change with the language: commands, outputs, pictures, and the figures of tables, in their order.
fn facts(markdown: &str) -> Vec<String> {
    let mut facts = Vec::new();
    let mut is_code = false;
    for line in markdown.lines() {
        if line.starts_with("```") {
            is_code = !is_code;
            facts.push(line.to_owned());
        } else if is_code {
            // A comment is in the reader's language.
            let code = if line.starts_with("# ") { "" } else { line.split("  # ").next().unwrap() };
            facts.push(code.trim_end().to_owned());
        } else if line.starts_with('|') {
            let is_figure = |c: char| c.is_ascii_digit() || ".,–".contains(c);
            let figures = line.split(|c: char| !is_figure(c)).filter(|word| word.contains(char::is_numeric));
            let mut cells: Vec<_> =
                figures.chain(line.split('`').skip(1).step_by(2)).map(str::to_owned).collect();
            // Languages have orders of their own.
            cells.sort();
            facts.extend(cells);
        } else if let Some((_, picture)) = line.split_once("](examples/") {
            facts.push(picture.to_owned());
        } else if line.starts_with("## ") {
            facts.push("## a heading".to_owned());
        }
    }
    facts
}

#[test]
fn the_japanese_readme_has_the_commands_and_the_figures_of_the_english_one() {
    let top = top();
    let facts = |file| facts(&std::fs::read_to_string(top.join(file)).unwrap());
    let (english, japanese) = (facts("README.md"), facts("README.ja.md"));
    assert!(english.len() > 100, "{english:#?}");
    for (english, japanese) in english.iter().zip(&japanese) {
        assert_eq!(english, japanese);
    }
    assert_eq!(english.len(), japanese.len(), "one of the two goes on: {:?}", english.last());
}
