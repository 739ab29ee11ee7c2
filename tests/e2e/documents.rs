//! What the documents promise is held by tests: those that they name exist, and the Japanese README says what the English
//! one does.

use std::collections::BTreeSet;
use std::path::Path;

use crate::workspace::top;

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
fn every_option_and_every_finding_stands_in_the_workers_readme() {
    let top = top();
    let readme = std::fs::read_to_string(top.join("worker/README.md")).unwrap();
    // The fields as the contract's sources have them: as JSON, those that have nothing to say are left out.
    let fields = |file: &str, of: &str| -> Vec<String> {
        let source = std::fs::read_to_string(top.join("statemachine/src").join(file)).unwrap();
        let (_, definition) = source.split_once(&format!("pub struct {of} {{")).unwrap();
        let (definition, _) = definition.split_once("\n}").unwrap();
        let fields = definition.lines().filter_map(|line| line.trim().strip_prefix("pub "));
        fields.map(|field| field.split(':').next().unwrap().to_owned()).collect()
    };
    let options = fields("options.rs", "ImportOptions");
    assert!(options.len() > 10, "{options:?}");
    for option in options {
        let row = format!("| `{option}` | `--{}", option.replace('_', "-"));
        assert!(readme.contains(&row), "{row:?} is missing");
    }
    for of in ["Findings", "RejectedRow", "RejectsFile", "Report"] {
        for field in fields("report.rs", of) {
            assert!(readme.contains(&format!("`{field}`")), "{field:?} of {of} is missing");
        }
    }
}

#[test]
fn every_field_that_redrive_and_dlq_print_stands_in_the_readme_of_baton() {
    let infra = top().join("infra");
    let readme = std::fs::read_to_string(infra.join("cli/README.md")).unwrap();
    for (file, of) in [
        ("ops/src/redrive/outcome.rs", "RedriveOutcome"),
        ("ops/src/dlq/dead_letter.rs", "DeadLetter"),
        ("ops/src/dlq/move_back.rs", "Moved"),
        ("ops/src/dlq/move_back.rs", "MovedMessage"),
        ("cli/src/dlq/drop.rs", "Dropped"),
    ] {
        let source = std::fs::read_to_string(infra.join(file)).unwrap();
        let (_, definition) = source.split_once(&format!("struct {of} {{")).unwrap();
        let (definition, _) = definition.split_once("\n}").unwrap();
        let definition = definition.split("#[serde(skip)]").next().unwrap();
        let fields = definition
            .lines()
            .map(|line| line.trim().trim_start_matches("pub ").trim_start_matches("pub(crate) "));
        let fields: Vec<_> = fields.filter_map(|line| line.split_once(": ")).map(|(name, _)| name).collect();
        let fields: Vec<_> = fields.into_iter().filter(|name| !name.starts_with(['/', '#'])).collect();
        assert!(!fields.is_empty(), "{of}");
        for field in fields {
            assert!(readme.contains(&format!("`{field}`")), "{field:?} of {of} is missing");
        }
    }
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
