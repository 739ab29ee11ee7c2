//! How programs end by themselves: exit codes, signals, and what is left of stderr.

use crate::support::Run;

#[test]
fn exit_codes_are_final_or_retried_and_the_end_of_stderr_is_the_cause() {
    let (error, cause, retry) = Run::sh("echo first >&2; echo 'no such month' >&2; exit 3").failure();
    assert_eq!((error.as_str(), retry), ("ExitCode.3", false));
    assert!(cause.contains("exit code 3") && cause.ends_with("first\nno such month"), "{cause}");
    let (error, cause, retry) = Run::sh("exit 75").failure();
    assert_eq!((error.as_str(), retry), ("ExitCode.75", true));
    assert!(cause.contains("nothing to stderr"), "{cause}");
    let mut run = Run::sh("exit 3");
    run.program.exit_codes.retried = vec![3];
    assert!(run.failure().2);
}

#[test]
fn only_the_last_4_kib_of_stderr_are_kept() {
    let script = "import sys\nfor n in range(100000): print('line', n, file=sys.stderr)\nsys.exit(1)";
    let (_, cause, _) = Run::python(script).failure();
    assert!(cause.len() < 4300 && cause.ends_with("line 99999"), "{}", cause.len());
}

#[test]
fn a_death_by_a_signal_is_told_by_name_and_retried() {
    for (signal, name) in [("SEGV", "SIGSEGV"), ("TERM", "SIGTERM"), ("ABRT", "SIGABRT"), ("KILL", "SIGKILL")]
    {
        let (error, cause, retry) = Run::sh(&format!("kill -{signal} $$")).failure();
        assert_eq!((error, retry), (format!("Signal.{name}"), true));
        assert!(cause.contains(&format!("killed by {name}")), "{cause}");
        assert_eq!(cause.contains("lack of memory"), signal == "KILL", "{cause}");
    }
}

#[test]
fn a_shell_whose_command_was_killed_is_retried_too() {
    let (error, cause, retry) = Run::sh("sh -c 'kill -KILL $$'; exit $?").failure();
    assert_eq!((error.as_str(), retry), ("ExitCode.137", true));
    assert!(cause.contains("SIGKILL"), "{cause}");
}
