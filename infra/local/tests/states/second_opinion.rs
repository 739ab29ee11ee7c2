//! Both definitions, run by this interpreter and by one that nobody here wrote, must tell the same story: the states
//! entered, the events, each call with its arguments and limits, the waits, the end. What the other cannot do is listed
//! here by name, and a test fails as soon as that has changed.

#[path = "second_opinion/ours.rs"]
mod ours;
#[path = "second_opinion/stories.rs"]
mod stories;

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use serde::de::DeserializeOwned;
use serde_json::Value;

use self::stories::Story;
use crate::core::{dead_letter_definition, import_definition};

/// What the other interpreter does otherwise in a story, by the field of the account.
const OTHERWISE: [(&str, &[&str]); 2] = [
    // An expression that fails ends the execution; AWS documents States.QueryEvaluationError, which can be retried.
    ("a container that exits with 0 and reports nothing", &["error", "cause", "events", "calls", "waits"]),
    // It writes variables into expressions as they are.
    ("a cause with quotation marks", &["status", "output", "error", "cause", "states", "events", "calls"]),
];

/// What the program beside this file answers.
fn ask<T: DeserializeOwned>(verb: &str, question: &Value) -> T {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let python = top.join("target/second-opinion/bin/python");
    assert!(python.is_file(), "{} is missing: `bash tests/run` makes it", python.display());
    let script = top.join("infra/local/tests/states/second_opinion/interpreter.py");
    // -B leaves no compiled files among the sources.
    let mut child = Command::new(python)
        .arg("-B")
        .arg(script)
        .arg(verb)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // It reads all before it answers.
    child.stdin.take().unwrap().write_all(question.to_string().as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)))
}

/// The other interpreter's accounts, with what it does otherwise in every story taken out.
fn theirs(stories: &[Story]) -> Vec<Value> {
    let question: Vec<Value> = stories.iter().map(Story::question).collect();
    let mut accounts: Vec<Value> = ask("run", &question.into());
    for call in accounts.iter_mut().flat_map(|account| account["calls"].as_array_mut().unwrap()) {
        if call["resource"] == "ecs:runTask.sync" {
            let arguments = call["arguments"].as_object_mut().unwrap();
            assert!(
                arguments.remove("CapacityProviderStrategy").is_none(),
                "it knows capacity providers now"
            );
            arguments.remove("StartedBy");
            hide_token(&mut call["arguments"]);
        }
    }
    accounts
}

/// Tokens are made up, and the other interpreter has one for all attempts.
fn hide_token(arguments: &mut Value) {
    let variable = &mut arguments["Overrides"]["ContainerOverrides"][0]["Environment"][0];
    assert_eq!(variable["Name"], "TASK_TOKEN");
    assert!(variable["Value"].as_str().is_some_and(|token| !token.is_empty()));
    variable["Value"] = "a token".into();
}

/// Tells all that is not as expected at once.
fn compare(stories: &[Story]) {
    let mut surprises = Vec::new();
    for (story, theirs) in stories.iter().zip(theirs(stories)) {
        let ours = ours::account(story);
        let otherwise = OTHERWISE.iter().find(|(name, _)| *name == story.name);
        let fields = otherwise.map_or(&[] as &[&str], |(_, fields)| fields);
        for (field, ours) in ours.as_object().unwrap() {
            let theirs = &theirs[field];
            let is_same =
                if field == "waits" { ours::waits_agree(story, ours, theirs) } else { ours == theirs };
            if is_same == fields.contains(&field.as_str()) {
                surprises.push(format!("{}: {field}\n  ours: {ours}\ntheirs: {theirs}", story.name));
            }
        }
    }
    assert!(surprises.is_empty(), "{}", surprises.join("\n"));
}

#[test]
fn an_interpreter_that_nobody_here_wrote_tells_the_same_of_every_import() {
    compare(&stories::of_imports(&import_definition()));
}

#[test]
fn an_interpreter_that_nobody_here_wrote_tells_the_same_of_every_dead_letter() {
    compare(&stories::of_dead_letters(&dead_letter_definition()));
}

#[test]
fn what_the_other_interpreter_does_otherwise_is_in_a_story() {
    let (imports, dead_letters) =
        (stories::of_imports(&import_definition()), stories::of_dead_letters(&dead_letter_definition()));
    for (name, _) in OTHERWISE {
        assert!(imports.iter().chain(&dead_letters).any(|story| story.name == name), "{name}");
    }
}

#[test]
fn a_wrong_definition_is_told_otherwise() {
    let wrong = import_definition().replace("\"MaxAttempts\": 5", "\"MaxAttempts\": 4");
    let (right, wrong) = (stories::of_imports(&import_definition()), stories::of_imports(&wrong));
    let name = "interruptions without end";
    let find = |stories: Vec<Story>| stories.into_iter().find(|story| story.name == name).unwrap();
    let theirs = theirs(&[find(wrong)]);
    assert_ne!(
        ours::account(&find(right))["waits"].as_array().unwrap().len(),
        theirs[0]["waits"].as_array().unwrap().len()
    );
}
