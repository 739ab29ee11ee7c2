//! Programs that are asked to stop.

use std::time::{Duration, Instant};

use baton_exec::{Ended, Stop};
use serde_json::json;

use crate::support::{Run, StopAt, is_alive, shutdown_when_ready, when_ready};

/// A grace that no test waits for.
const LONG: Duration = Duration::from_secs(100);

fn stopped(script: &str, grace: Duration) -> (Ended, std::sync::Arc<crate::support::Seen>, Duration) {
    let mut run = Run::sh(script);
    run.program.grace = grace;
    run.stop_at = shutdown_when_ready();
    let begun = Instant::now();
    let (report, seen) = run.end();
    (report.ended, seen, begun.elapsed())
}

fn was_killed(ended: &Ended) -> bool {
    let Ended::Stopped { stop: Stop::Shutdown("SIGTERM"), killed, how } = ended else { panic!("{ended:?}") };
    assert!(how.contains("SIGTERM"), "{how}");
    *killed
}

#[test]
fn a_program_cleans_up_on_sigterm() {
    let (ended, seen, _) =
        stopped("trap 'echo cleaned; exit 0' TERM; echo ready; while :; do sleep 0.01; done", LONG);
    assert!(!was_killed(&ended), "{ended:?}");
    assert!(seen.stdout().contains(&"cleaned".to_owned()));
}

#[test]
fn a_program_that_still_writes_its_result_is_done_unless_the_attempt_is_lost() {
    let script = "trap 'echo 3 > \"$BATON_RESULT\"; exit 0' TERM; echo ready; while :; do sleep 0.01; done";
    assert_eq!(stopped(script, LONG).0, Ended::Done { result: json!(3) });
    let mut run = Run::sh(script);
    run.stop_at =
        Some(StopAt { when: when_ready, stop: Stop::NotOurs("attempt 3 has claimed it".to_owned()) });
    let ended = run.end().0.ended;
    assert!(matches!(&ended, Ended::Stopped { stop: Stop::NotOurs(_), .. }), "{ended:?}");
}

#[test]
fn the_grace_is_also_for_what_a_shell_started_that_died_at_once() {
    // sh has the default action and dies; Python is in the same group and cleans up for a while.
    let script = "python3 -u -c \"
import os, signal, sys, time
def clean(*_):
    deadline = time.monotonic() + 60
    while os.getppid() == parent and time.monotonic() < deadline: time.sleep(0.01)
    print('cleaned')
    sys.exit(0)
parent = os.getppid()
signal.signal(signal.SIGTERM, clean)
print('ready')
while True: signal.pause()\"; true";
    let (ended, seen, _) = stopped(script, LONG);
    assert!(!was_killed(&ended), "{ended:?}");
    assert_eq!(seen.stdout(), ["ready", "cleaned"]);
}

#[test]
fn a_program_that_ignores_sigterm_is_killed_after_the_grace() {
    let (ended, seen, took) = stopped(
        "trap '' TERM; sleep 1000 & echo pid=$!; echo ready; while :; do sleep 0.1; done",
        Duration::from_millis(300),
    );
    assert!(was_killed(&ended), "{ended:?}");
    assert!(took >= Duration::from_millis(300), "{took:?}");
    assert!(!is_alive(seen.number("pid")));
}

#[test]
fn a_program_that_has_stopped_itself_sees_the_request() {
    // It is stopped soon after it says so: the request continues it, whichever comes first.
    let (ended, seen, _) = stopped(
        "trap 'echo cleaned; exit 0' TERM; echo ready; kill -STOP $$; while :; do sleep 0.01; done",
        LONG,
    );
    assert!(!was_killed(&ended), "{ended:?}");
    assert!(seen.stdout().contains(&"cleaned".to_owned()));
}

#[test]
fn a_program_that_stops_itself_and_ignores_everything_is_killed() {
    let (ended, ..) =
        stopped("trap '' TERM; echo ready; while :; do kill -STOP $$; done", Duration::from_millis(100));
    assert!(was_killed(&ended), "{ended:?}");
}

#[test]
fn daemons_of_a_program_that_is_stopped_are_killed_too() {
    let (ended, seen, _) = stopped(
        "setsid sh -c 'trap \"\" TERM; while :; do sleep 1; done' & echo pid=$!; echo ready; wait",
        Duration::from_millis(300),
    );
    assert!(was_killed(&ended), "{ended:?}");
    assert!(!is_alive(seen.number("pid")));
}

#[test]
fn a_stop_gets_through_while_the_caller_takes_lines_slowly() {
    let mut run = Run::sh("echo ready; while :; do echo xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx; done");
    run.takes = Duration::from_millis(1);
    run.program.grace = LONG;
    run.stop_at = shutdown_when_ready();
    let (report, _) = run.end();
    assert!(!was_killed(&report.ended), "{report:?}");
}
