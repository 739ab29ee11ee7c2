//! Programs that cannot be started: each failure says what to do.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use baton_exec::{Ended, Program, Stop};
use serde_json::json;

use crate::support::{Run, StopAt};

fn failure(program: Program) -> (String, String, bool) {
    Run::of(program).failure()
}

#[test]
fn a_program_that_is_not_there_is_named() {
    for command in [vec!["no-such-program", "x"], vec!["/no/such/program"], vec![""]] {
        let (error, cause, retry) = failure(Program::new(command.clone()));
        assert_eq!((error.as_str(), retry), ("Program.NotFound", false));
        assert!(cause.contains(command[0]) && cause.contains("install it"), "{cause}");
    }
    let (error, cause, _) = failure(Program::new(Vec::<String>::new()));
    assert_eq!(error, "Program.NotFound");
    assert!(cause.contains("give the command"), "{cause}");
}

#[test]
fn a_script_without_its_interpreter_is_told_from_one_that_is_not_there() {
    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().join("script");
    fs::write(&script, "#!/no/such/interpreter\n").unwrap();
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
    let (error, cause, retry) = failure(Program::new([&script]));
    assert_eq!((error.as_str(), retry), ("Program.NotFound", false));
    assert!(cause.contains("first line"), "{cause}");
}

#[test]
fn a_file_that_cannot_be_run_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().join("script");
    fs::write(&script, "echo no first line\n").unwrap();
    fs::set_permissions(&script, fs::Permissions::from_mode(0o644)).unwrap();
    let (error, cause, retry) = failure(Program::new([&script]));
    assert_eq!((error.as_str(), retry), ("Program.NotExecutable", false));
    assert!(cause.contains("chmod +x"), "{cause}");
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
    let (error, cause, retry) = failure(Program::new([&script]));
    assert_eq!((error.as_str(), retry), ("Program.NotExecutable", false));
    assert!(cause.contains("#!/bin/sh"), "{cause}");
}

#[test]
fn a_workdir_that_is_not_there_is_named() {
    let mut program = Program::new(["sh", "-c", "true"]);
    program.workdir = Some("/no/such/folder".into());
    let (error, cause, retry) = failure(program);
    assert_eq!((error.as_str(), retry), ("Program.NoWorkdir", false));
    assert!(cause.contains("/no/such/folder") && cause.contains("create it"), "{cause}");
}

#[test]
fn arguments_that_are_too_long_are_final_and_a_folder_that_is_full_or_gone_is_not() {
    let (error, _, retry) = failure(Program::new(["echo".to_owned(), "x".repeat(200 * 1024)]));
    assert_eq!((error.as_str(), retry), ("Program.TooLong", false));
    let mut program = Program::new(["true"]);
    program.scratch = Some("/no/such/folder".into());
    let (error, cause, retry) = failure(program);
    assert_eq!((error.as_str(), retry), ("Program.NotStarted", true));
    assert!(cause.contains("TMPDIR"), "{cause}");
}

#[test]
fn a_program_in_a_folder_with_too_long_a_name_runs_without_a_socket() {
    let scratch = tempfile::tempdir().unwrap();
    let long = scratch.path().join("x".repeat(100));
    fs::create_dir(&long).unwrap();
    let mut run = Run::sh("echo \"${NOTIFY_SOCKET-none}\"; echo 1 > \"$BATON_RESULT\"");
    run.program.scratch = Some(long);
    let (report, seen) = run.end();
    assert_eq!(report.ended, Ended::Done { result: json!(1) });
    assert_eq!(seen.stdout(), ["none"]);
}

#[test]
fn a_program_is_not_started_once_a_stop_is_requested() {
    let mut run = Run::sh("echo started");
    run.stop_at = Some(StopAt { when: |_| true, stop: Stop::Shutdown("SIGTERM") });
    let (report, seen) = run.end();
    assert!(matches!(report.ended, Ended::Stopped { killed: false, .. }), "{report:?}");
    assert!(seen.stdout().is_empty());
}
