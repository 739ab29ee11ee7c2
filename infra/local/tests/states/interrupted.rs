//! Paths through `import.asl.json` that are cut short: missed heartbeats, late answers, stops, redrives.

use local_stack::states::execution::{Event, Failure, NotRedrivable, Refused, Status};
use serde_json::json;

use crate::core::{
    HEARTBEAT_SECONDS, RUN_TIMEOUT_SECONDS, Run, envelope, import_definition, message, report,
};

#[test]
fn a_missed_heartbeat_stops_the_container_and_tries_again() {
    let (mut run, _, first) = Run::import_at_work();
    run.pass(59.0);
    assert_eq!(run.beat(&first), None);
    run.pass(59.9);
    assert_eq!(run.execution.token(), Some(first.as_str()));
    run.pass(0.1);
    assert_eq!(run.cancelled(), ["task-1"]);
    assert_eq!(run.events_after("TaskSubmitted"), ["TaskTimedOut"]);
    assert_eq!(
        *run.details("TaskTimedOut"),
        json!({"resourceType": "ecs", "resource": "runTask.sync", "error": "States.Timeout"})
    );
    run.pass(1.0);
    let run_task = run.invocation();
    let second = run.token();
    assert_ne!(first, second);
    // The dead token is refused whatever is done with it; the living one is not.
    assert_eq!(run.beat(&first), Some(Refused::TaskTimedOut));
    assert_eq!(run.report(&first, report()), Some(Refused::TaskTimedOut));
    assert_eq!(run.report_failure(&first, "Import.Internal", ""), Some(Refused::TaskTimedOut));
    run.submit(&run_task, "task-2");
    assert_eq!(run.report(&second, report()), None);
}

#[test]
fn heartbeats_count_from_the_start_of_the_attempt_and_no_longer_than_its_timeout() {
    let (mut run, _, token) = Run::import_at_work();
    let beats = RUN_TIMEOUT_SECONDS / 50;
    for _ in 0..beats {
        run.pass(50.0);
        assert_eq!(
            run.beat(&token),
            (run.execution.token() != Some(token.as_str())).then_some(Refused::TaskTimedOut)
        );
    }
    assert_eq!(run.cancelled(), ["task-1"]);
    assert_eq!(run.events_after("TaskSubmitted"), ["TaskTimedOut"]);
}

#[test]
fn a_worker_that_hangs_three_times_fails_the_execution_as_a_timeout() {
    let (mut run, run_task) = Run::import_at_run_task();
    run.submit(&run_task, "task-1");
    run.pass(60.0 + 1.0);
    assert_eq!(run.cancelled(), ["task-1"]);
    let run_task = run.invocation();
    run.submit(&run_task, "task-2");
    run.pass(60.0 + 2.0);
    assert_eq!(run.cancelled(), ["task-2"]);
    let run_task = run.invocation();
    run.submit(&run_task, "task-3");
    run.pass(60.0);
    assert_eq!(run.cancelled(), ["task-3"]);
    // A state's timeout fails the execution; only the machine's own makes it TIMED_OUT.
    assert_eq!(run.statuses(), [Status::Failed]);
    assert_eq!(run.execution.error.as_deref(), Some("States.Timeout"));
    assert_eq!(run.execution.cause, None);
    assert_eq!(run.execution.redrivable(run.now), Ok(()));
}

#[test]
fn a_heartbeat_that_comes_too_late_is_refused_even_if_the_timer_is_late_too() {
    let (mut run, _, token) = Run::import_at_work();
    // Time has passed, and nobody has woken the execution.
    run.now = run.now.plus_seconds(HEARTBEAT_SECONDS);
    assert_eq!(run.beat(&token), Some(Refused::TaskTimedOut));
    assert_eq!(run.cancelled(), ["task-1"]);
}

#[test]
fn a_container_that_starts_after_it_was_given_up_is_stopped() {
    let (mut run, first) = Run::import_at_run_task();
    run.pass(60.0);
    assert_eq!(run.cancelled(), [""; 0]);
    run.send(Event::Submitted { attempt: first.attempt, output: envelope("task-late") });
    assert_eq!(run.cancelled(), ["task-late"]);
    // Only once, and its end changes nothing.
    run.send(Event::Submitted { attempt: first.attempt, output: envelope("task-late") });
    run.succeed(&first, json!({}));
    assert_eq!(run.cancelled(), [""; 0]);
    run.pass(1.0);
    assert_ne!(run.invocation().attempt, first.attempt);
}

#[test]
fn after_a_report_the_container_is_neither_watched_nor_stopped() {
    let (mut run, run_task, token) = Run::import_at_work();
    run.report(&token, report());
    let delete = run.invocation();
    // The container's own end comes later, and says nothing.
    run.fail(&run_task, "States.TaskFailed", "exit code 137");
    assert_eq!(run.execution.state_name(), Some("DeleteMessage"));
    assert_eq!(run.report(&token, report()), Some(Refused::TaskTimedOut));
    run.succeed(&delete, json!({}));
    assert_eq!(run.statuses(), [Status::Succeeded]);
}

#[test]
fn a_report_may_come_before_run_task_has_answered() {
    let (mut run, run_task) = Run::import_at_run_task();
    let token = run.token();
    assert_eq!(run.report(&token, report()), None);
    let delete = run.invocation();
    run.send(Event::Submitted { attempt: run_task.attempt, output: envelope("task-1") });
    assert_eq!(run.cancelled(), [""; 0]);
    run.succeed(&delete, json!({}));
    assert_eq!(run.statuses(), [Status::Succeeded]);
}

#[test]
fn a_stopped_execution_stops_its_container_and_kills_its_token() {
    let (mut run, _, token) = Run::import_at_work();
    let failure = Failure::new("Operator", "not today");
    assert_eq!(run.send(Event::Stop(failure.clone())), None);
    assert_eq!(run.cancelled(), ["task-1"]);
    assert_eq!(run.statuses(), [Status::Aborted]);
    assert_eq!(*run.details("ExecutionAborted"), json!({"error": "Operator", "cause": "not today"}));
    assert_eq!(run.beat(&token), Some(Refused::TaskTimedOut));
    assert_eq!(run.report(&token, report()), Some(Refused::TaskTimedOut));
    assert_eq!(run.send(Event::Stop(failure)), Some(Refused::Closed));
    assert_eq!(run.statuses(), []);
}

#[test]
fn a_failed_import_is_redriven_and_succeeds() {
    let (mut run, _, first) = Run::import_at_work();
    run.report_failure(&first, "Import.HeaderMismatch", "no column `name`");
    assert_eq!(run.statuses(), [Status::Failed]);
    run.pass(3600.0);
    assert_eq!(run.send(Event::Redrive), None);
    assert_eq!(run.events_after("ExecutionFailed"), ["ExecutionRedriven", "TaskScheduled", "TaskStarted"]);
    assert_eq!(*run.details("ExecutionRedriven"), json!({"redriveCount": 1}));
    assert_eq!(run.execution.error, None);
    let run_task = run.invocation();
    let second = run.token();
    assert_ne!(first, second);
    assert_eq!(run.beat(&first), Some(Refused::TaskTimedOut));
    // Variables have survived: the import is passed on.
    assert!(run_task.arguments.to_string().contains("s3://b/k.csv"));
    run.submit(&run_task, "task-2");
    run.report(&second, report());
    let delete = run.invocation();
    run.succeed(&delete, json!({}));
    assert_eq!(run.statuses(), [Status::Succeeded]);
    assert_eq!(run.send(Event::Redrive), Some(Refused::NotRedrivable(NotRedrivable::Succeeded)));
}

#[test]
fn redrive_counts_retries_anew() {
    let (mut run, _, token) = Run::import_at_work();
    run.report_failure(&token, "Import.Interrupted", "");
    run.pass(1.0);
    run.invocation();
    run.send(Event::Stop(Failure::default()));
    run.statuses();
    run.send(Event::Redrive);
    for _ in 0..5 {
        run.invocation();
        let token = run.token();
        run.report_failure(&token, "Import.Interrupted", "");
        run.pass(16.0);
    }
    run.invocation();
    assert_eq!(run.execution.status, Status::Running);
}

#[test]
fn the_end_of_a_stack_uses_up_no_retry() {
    let (mut run, _, mut token) = Run::import_at_work();
    let interrupted = |token: String| Event::TokenInterrupted {
        token,
        failure: Failure::new("Import.Interrupted", "the worker got SIGTERM"),
    };
    for retry in 0..5 {
        // Twice, before and after the retries are used up.
        for _ in 0..2 {
            assert_eq!(run.send(interrupted(token.clone())), None);
            assert_eq!(run.send(interrupted(token)), Some(Refused::TaskTimedOut));
            run.pass(1.0);
            run.invocation();
            token = run.token();
        }
        run.report_failure(&token, "Import.Interrupted", "");
        run.pass(f64::from(1 << retry));
        run.invocation();
        token = run.token();
    }
    run.send(interrupted(token));
    run.pass(1.0);
    run.invocation();
    let token = run.token();
    run.report_failure(&token, "Import.Interrupted", "");
    assert_eq!(run.statuses(), [Status::Failed]);
}

#[test]
fn what_no_retry_can_mend_fails_though_the_stack_ends() {
    let (mut run, _, token) = Run::import_at_work();
    let failure = Failure::new("Import.TableMissing", "");
    run.send(Event::TokenInterrupted { token, failure });
    assert_eq!(run.statuses(), [Status::Failed]);
}

#[test]
fn an_invalid_message_that_is_redriven_fails_again() {
    let input = json!({"invalid": {"reason": "noise"}, "message": message()});
    let mut run = Run::start(&import_definition(), input);
    run.statuses();
    run.send(Event::Redrive);
    assert_eq!(run.events_after("ExecutionRedriven"), ["FailStateEntered", "ExecutionFailed"]);
    assert_eq!(run.statuses(), [Status::Running, Status::Failed]);
}

#[test]
fn redrive_is_refused_while_open_and_after_fourteen_days() {
    let (mut run, _, token) = Run::import_at_work();
    assert_eq!(run.send(Event::Redrive), Some(Refused::NotRedrivable(NotRedrivable::Running)));
    run.report_failure(&token, "Import.Internal", "");
    run.pass(14.0 * 86400.0);
    assert_eq!(run.execution.redrivable(run.now), Ok(()));
    run.pass(0.001);
    assert_eq!(run.send(Event::Redrive), Some(Refused::NotRedrivable(NotRedrivable::PeriodExceeded)));
}
