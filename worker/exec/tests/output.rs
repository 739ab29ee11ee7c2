//! stdout and stderr.

use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;

use baton_exec::{Ended, Stream};

use crate::support::Run;

#[test]
fn lines_come_with_their_stream_in_order() {
    let (_, seen) = Run::sh("echo one; echo two; echo bad >&2; printf 'no end'").end();
    assert_eq!(seen.stdout(), ["one", "two", "no end"]);
    assert_eq!(seen.lines_of(Stream::Stderr), ["bad"]);
}

#[test]
fn long_lines_come_in_pieces_and_bytes_that_are_no_text_are_replaced() {
    let (_, seen) = Run::python("import sys; sys.stdout.buffer.write(b'x' * 20000 + b'\\n\\xff\\n')").end();
    let lines = seen.stdout();
    assert_eq!(lines.iter().map(String::len).collect::<Vec<_>>(), [8192, 8192, 20000 - 2 * 8192, 3]);
    assert_eq!(lines[3], "\u{fffd}");
}

#[test]
fn a_gigabyte_of_output_takes_no_memory() {
    let mut run = Run::sh("head -c 1000000000 /dev/zero | tr '\\0' 'x'");
    run.keeps_lines = false;
    let before = memory();
    let (report, seen) = run.end();
    assert!(matches!(report.ended, Ended::Done { .. }), "{report:?}");
    assert!(seen.bytes.load(SeqCst) > 1_000_000_000);
    // Of all threads of this process, with what other tests need at a time.
    assert!(memory() < before + 64 * 1024, "{before} KiB before, {} after", memory());
}

/// The most memory that this process has had, in KiB.
fn memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

#[test]
fn a_caller_that_is_slow_holds_the_program_up_but_not_its_end() {
    // A pipe holds 64 KiB: the program ends when the first lines of 8 KiB have been taken.
    let mut run = Run::sh("head -c 200000 /dev/zero | tr '\\0' 'x'");
    run.takes = Duration::from_millis(20);
    let (report, seen) = run.end();
    assert!(matches!(report.ended, Ended::Done { .. }), "{report:?}");
    assert_eq!(seen.stdout().concat().len(), 200_000, "nothing is dropped");
}

#[test]
fn a_program_that_closes_its_output_runs_on() {
    let (report, _) = Run::sh("exec 1>&- 2>&-; echo '{\"done\": 1}' > \"$BATON_PROGRESS\"; exit 3").end();
    let Ended::Failed { error, .. } = report.ended else { panic!("{report:?}") };
    assert_eq!((error.as_str(), report.progress.unwrap().done), ("ExitCode.3", Some(1)));
}

#[test]
fn a_grandchild_that_holds_stdout_open_holds_nothing_up() {
    let (report, seen) = Run::sh("sleep 1000 & echo pid=$!; exit 0").end();
    assert!(matches!(report.ended, Ended::Done { .. }), "{report:?}");
    assert_eq!(report.left_behind, 1);
    assert!(!crate::support::is_alive(seen.number("pid")));
}
