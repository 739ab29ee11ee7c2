//! What the program finds in its environment.

use baton_exec::{Beat, INPUT_VARIABLE_LIMIT, Program};
use serde_json::{Value, json};

use crate::support::Run;

/// Writes its whole environment as the result.
const ENVIRONMENT: &str = "import json, os
with open(os.environ['BATON_RESULT'], 'w') as f: json.dump(dict(os.environ), f)";

#[test]
fn the_program_gets_its_job() {
    let mut run = Run::python(ENVIRONMENT);
    run.input = json!({"month": "2026-10", "name": "\u{fc}\u{0}"});
    let result = run.result();
    assert_eq!(result["BATON_JOB_ID"], "r-1");
    assert_eq!(result["BATON_KIND"], "report");
    assert_eq!(result["BATON_ATTEMPT"], "2");
    let input: Value = serde_json::from_str(result["BATON_INPUT"].as_str().unwrap()).unwrap();
    assert_eq!(input, json!({"month": "2026-10", "name": "\u{fc}\u{0}"}));
    assert!(result.get("WATCHDOG_USEC").is_none(), "without a limit nobody watches");
}

#[test]
fn a_large_input_comes_in_the_file_alone() {
    let fits = "x".repeat(INPUT_VARIABLE_LIMIT - 2);
    for (input, is_in_variable) in
        [(fits.clone(), "True"), (format!("{fits}x"), "False"), ("x".repeat(200 << 10), "False")]
    {
        let mut run = Run::python(
            "import json, os
with open(os.environ['BATON_INPUT_FILE']) as f: text = json.load(f)
print('BATON_INPUT' in os.environ)
with open(os.environ['BATON_RESULT'], 'w') as f: json.dump(len(text), f)",
        );
        run.input = json!(input);
        let (report, seen) = run.end();
        assert_eq!(report.ended, baton_exec::Ended::Done { result: json!(input.len()) });
        assert_eq!(seen.stdout(), [is_in_variable]);
    }
}

#[test]
fn variables_are_added_and_withheld() {
    let mut run = Run::python(ENVIRONMENT);
    let variables =
        [("MINE", "1"), ("TASK_TOKEN", "t"), ("SECRET", "s"), ("LISTEN_FDS", "3"), ("BATON_JOB_ID", "other")];
    run.program.variables = variables.map(|(name, value)| (name.into(), value.into())).to_vec();
    run.program.withheld = vec!["SECRET".into(), "HOME".into()];
    let result = run.result();
    assert_eq!(result["MINE"], "1");
    assert_eq!(result["BATON_JOB_ID"], "r-1", "what is ours cannot be replaced");
    assert!(result.get("PATH").is_some(), "inherited");
    for name in ["TASK_TOKEN", "SECRET", "HOME", "LISTEN_FDS"] {
        assert!(result.get(name).is_none(), "{name}");
    }
}

#[test]
fn the_watchdog_is_offered_where_it_counts() {
    for (beat, is_offered) in
        [(Beat::Auto, true), (Beat::Progress, true), (Beat::Output, false), (Beat::Always, false)]
    {
        let mut run = Run::python(ENVIRONMENT);
        run.program.beat = beat;
        run.program.stall_limit = Some(std::time::Duration::from_secs(60));
        assert_eq!(
            run.result().get("WATCHDOG_USEC").is_some_and(|time| time == "60000000"),
            is_offered,
            "{beat:?}"
        );
    }
}

#[test]
fn the_program_starts_in_its_workdir_with_nothing_to_read() {
    let folder = tempfile::tempdir().unwrap();
    let mut run = Run::of(Program::new(["sh", "-c", "pwd -P; cat; echo end"]));
    run.program.workdir = Some(folder.path().to_owned());
    let (_, seen) = run.end();
    assert_eq!(seen.stdout(), [folder.path().canonicalize().unwrap().to_str().unwrap(), "end"]);
}

#[test]
fn the_folder_is_gone_in_the_end_and_its_files_are_closed_to_others() {
    let scratch = tempfile::tempdir().unwrap();
    let mut run = Run::sh(
        "mkdir -p \"$(dirname \"$BATON_RESULT\")/mine/deep\"; stat -c 'mode=%a' \"$(dirname \"$(dirname \"$BATON_RESULT\")\")\"",
    );
    run.program.scratch = Some(scratch.path().to_owned());
    let (_, seen) = run.end();
    let mode = seen.number("mode");
    assert!(mode == 700 || (mode == 711 && rustix::process::geteuid().is_root()), "{mode}");
    assert_eq!(std::fs::read_dir(scratch.path()).unwrap().count(), 0);
}

#[test]
fn a_program_that_drops_its_user_reaches_its_files() {
    if !rustix::process::geteuid().is_root() {
        return;
    }
    let run = Run::of(Program::new([
        "setpriv",
        "--reuid=65534",
        "--regid=65534",
        "--clear-groups",
        "sh",
        "-c",
        "cat \"$BATON_INPUT_FILE\" > /dev/null && echo '{\"done\": 1}' >> \"$BATON_PROGRESS\" \
         && id -u > \"$BATON_RESULT.new\" && mv \"$BATON_RESULT.new\" \"$BATON_RESULT\" \
         && ! ls \"$(dirname \"$(dirname \"$BATON_RESULT\")\")\" 2> /dev/null",
    ]));
    let (report, seen) = run.end();
    assert_eq!(report.ended, baton_exec::Ended::Done { result: json!(65534) }, "{seen:?}");
    assert_eq!(report.progress.unwrap().done, Some(1));
}
