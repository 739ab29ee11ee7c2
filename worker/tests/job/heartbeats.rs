//! Work beside heartbeats: what goes on while it runs, and how it is stopped.

use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;
use diesel::{Connection as _, RunQueryDsl};
use statemachine::{ExitCode, FailureName};
use worker::db::{Connection, Database};
use worker::failure::Failure;
use worker::import::Summary;
use worker::imports::ImportRow;
use worker::job::{Patience, shutdown};
use worker::ledger::JobStatus;

use super::fixture::{Job, OURS, TestDatabase, by, by_id, commit, count_people, run};
use crate::step_functions::{Answer, Call, StepFunctions};

const DEADLINE: Duration = Duration::from_secs(20);

/// Work that loads one row and commits.
pub(crate) fn load_one(job: &Job, database: &Database) -> Result<Summary, Failure> {
    load_one_after(job, database, |_| {})
}

/// The same, and `before_commit` is called in the middle of the transaction.
pub(crate) fn load_one_after(
    job: &Job,
    database: &Database,
    before_commit: impl FnOnce(&mut Connection),
) -> Result<Summary, Failure> {
    let summary = Summary { rows: 1, rejects: 0, bytes: 4 };
    let mut failure = None;
    let committed = database.connect()?.transaction(|connection| {
        diesel::sql_query("INSERT INTO people VALUES ('Ada')").execute(connection)?;
        assert_eq!(count_people(connection), 1);
        before_commit(connection);
        commit(job, connection, &summary).map_err(|error| {
            failure = Some(error);
            diesel::result::Error::RollbackTransaction
        })
    });
    match (committed, failure) {
        (Ok(()), _) => Ok(summary),
        (Err(_), Some(failure)) => Err(failure),
        (Err(error), None) => panic!("{error}"),
    }
}

/// Work that goes on, and gets on, until it is asked to stop.
fn work_until_stopped(job: &Job) -> Result<Summary, Failure> {
    let begun = Instant::now();
    let (_never, ticks) = channel::<()>();
    while begun.elapsed() < DEADLINE {
        if job.progress.stop_requested() {
            return Err(Failure::named(FailureName::Interrupted, "the work was asked to stop"));
        }
        job.progress.add_rows(1, 0);
        assert_eq!(ticks.recv_timeout(Duration::from_millis(2)), Err(RecvTimeoutError::Timeout));
    }
    panic!("nobody asked the work to stop");
}

fn is_beat(call: &Call) -> bool {
    call.operation == "SendTaskHeartbeat"
}

#[tokio::test(flavor = "multi_thread")]
async fn beats_accompany_the_work_and_tell_its_progress() {
    for test in TestDatabase::both() {
        test.register();
        let server = StepFunctions::start().await;
        let (go, wait) = channel::<()>();
        let config = test.config(&[]);
        let work = move |job: &Job, database: &Database| {
            job.progress.add_rows(41, 1);
            wait.recv_timeout(DEADLINE).unwrap();
            load_one(job, database)
        };
        let observe = async {
            server.wait_for_beats(4).await;
            let deadline = Instant::now() + DEADLINE;
            while test.row().rows_done != 41 {
                assert!(Instant::now() < deadline, "{:?}", test.row());
                tokio::task::yield_now().await;
            }
            assert_eq!(test.row().status, JobStatus::Running);
            go.send(()).unwrap();
        };
        let (code, ()) =
            tokio::join!(run(&config, server.client(), Patience::default(), pending(), work), observe);
        assert_eq!(code, ExitCode::Reported);
        assert!(server.calls().iter().all(|call| call.body["taskToken"] == "the-token"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn beats_stop_while_the_work_does_not_get_on_and_begin_again_when_it_does() {
    let test = TestDatabase::sqlite();
    test.register();
    let server = StepFunctions::start().await;
    let (go, wait) = channel::<()>();
    let config = test.config(&[("STALL_LIMIT_SECONDS", "0.2")]);
    let work = move |job: &Job, database: &Database| {
        let step = |wait: &Receiver<()>| wait.recv_timeout(DEADLINE).unwrap();
        step(&wait);
        job.progress.add_bytes(1);
        step(&wait);
        load_one(job, database)
    };
    let observe = async {
        server.wait_for_beats(2).await;
        server.wait_for_quiet(Duration::from_millis(500)).await;
        let before = server.beats();
        go.send(()).unwrap();
        server.wait_for_beats(before + 2).await;
        go.send(()).unwrap();
    };
    let (code, ()) =
        tokio::join!(run(&config, server.client(), Patience::default(), pending(), work), observe);
    assert_eq!(code, ExitCode::Reported);
}

#[tokio::test(flavor = "multi_thread")]
async fn beats_that_are_not_taken_do_not_stop_the_work() {
    let test = TestDatabase::sqlite();
    test.register();
    let server = StepFunctions::answering(|call, before| match before % 2 {
        _ if !is_beat(call) => Answer::Taken,
        0 => Answer::Unavailable,
        _ => Answer::Error("ThrottlingException"),
    })
    .await;
    let (go, wait) = channel::<()>();
    let config = test.config(&[]);
    let work = move |job: &Job, database: &Database| {
        wait.recv_timeout(DEADLINE).unwrap();
        load_one(job, database)
    };
    let observe = async {
        server.wait_for_beats(5).await;
        go.send(()).unwrap();
    };
    let (code, ()) =
        tokio::join!(run(&config, server.client(), Patience::default(), pending(), work), observe);
    assert_eq!((code, test.people()), (ExitCode::Reported, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lease_is_not_renewed_before_step_functions_has_taken_a_beat_of_the_attempt() {
    for test in TestDatabase::both() {
        test.register();
        let is_away = Arc::new(AtomicBool::new(true));
        let server = {
            let is_away = Arc::clone(&is_away);
            StepFunctions::answering(move |call, _| {
                if is_beat(call) && is_away.load(Relaxed) { Answer::Unavailable } else { Answer::Taken }
            })
            .await
        };
        let (go, wait) = channel::<()>();
        let config = test.config(&[]);
        let work = move |job: &Job, database: &Database| {
            job.progress.add_rows(41, 1);
            wait.recv_timeout(DEADLINE).unwrap();
            load_one(job, database)
        };
        let row_when = async |accept: &dyn Fn(&ImportRow) -> bool| {
            let deadline = Instant::now() + DEADLINE;
            loop {
                let row = test.row();
                if accept(&row) {
                    return row;
                }
                assert!(Instant::now() < deadline, "{row:?}");
                tokio::task::yield_now().await;
            }
        };
        let observe = async {
            // The progress is told all the same.
            let untold = row_when(&|row| row.rows_done == 41).await;
            let lease = (untold.lease_expires_at.unwrap() - untold.started_at.unwrap()).to_std().unwrap();
            assert_eq!(lease, config.job.lease);
            is_away.store(false, Relaxed);
            row_when(&|row| row.lease_expires_at > untold.lease_expires_at).await;
            go.send(()).unwrap();
        };
        let (code, ()) =
            tokio::join!(run(&config, server.client(), Patience::default(), pending(), work), observe);
        assert_eq!(code, ExitCode::Reported);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_is_gone_stops_the_work_and_nothing_is_reported() {
    for gone in ["TaskTimedOut", "TaskDoesNotExist", "InvalidToken"] {
        let test = TestDatabase::sqlite();
        test.register();
        let server = StepFunctions::answering(
            move |_, before| if before < 3 { Answer::Taken } else { Answer::Error(gone) },
        )
        .await;
        let config = test.config(&[]);
        let work = |job: &Job, _: &Database| work_until_stopped(job);
        let code = run(&config, server.client(), Patience::default(), pending(), work).await;
        assert_eq!(code, ExitCode::NotOurs, "{gone}");
        assert!(server.reports().is_empty(), "{:?}", server.reports());
        // Nobody else has claimed it: another execution need not wait for the end of the lease.
        let row = test.row();
        assert_eq!((row.status, row.error.as_deref()), (JobStatus::Failure, Some("Import.Interrupted")));
        assert!(row.cause.unwrap().contains(gone));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_is_waited_for_no_longer_does_not_even_claim() {
    let test = TestDatabase::sqlite();
    test.register();
    let server = StepFunctions::answering(|_, _| Answer::Error("TaskTimedOut")).await;
    let work = |_: &Job, _: &Database| panic!("the work began");
    let code = run(&test.config(&[]), server.client(), Patience::default(), pending(), work).await;
    assert_eq!((code, test.row().attempt, server.calls().len()), (ExitCode::NotOurs, 0, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_whose_import_is_claimed_anew_stops_and_leaves_the_row_alone() {
    for test in TestDatabase::both() {
        test.register();
        let server = StepFunctions::start().await;
        let config = test.config(&[]);
        let (database, claimed_anew) = (test.database.clone(), by_id());
        let work = move |job: &Job, _: &Database| {
            let lease = Duration::from_secs(300);
            worker::ledger::claim(&mut database.connect()?, &claimed_anew, &by(OURS), lease)?;
            work_until_stopped(job)
        };
        let code = run(&config, server.client(), Patience::default(), pending(), work).await;
        assert_eq!((code, server.reports().len()), (ExitCode::NotOurs, 0));
        let row = test.row();
        assert_eq!((row.status, row.attempt, row.error), (JobStatus::Running, 2, None));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replaced_worker_cannot_commit_and_its_rows_are_rolled_back() {
    for test in TestDatabase::both() {
        test.register();
        let server = StepFunctions::start().await;
        // No beat finds out before the commit does.
        let config = test.config(&[("HEARTBEAT_INTERVAL_SECONDS", "100")]);
        let url = test.url.clone();
        let work = move |job: &Job, database: &Database| {
            let replace = "UPDATE \"baton_jobs\" SET attempt = attempt + 1";
            if url.starts_with("sqlite") {
                // Nobody can claim while the load holds the lock, so it happens just before.
                database.connect()?.batch_execute(replace).unwrap();
                load_one(job, database)
            } else {
                load_one_after(job, database, |_| database.connect().unwrap().batch_execute(replace).unwrap())
            }
        };
        let code = run(&config, server.client(), Patience::default(), pending(), work).await;
        assert_eq!((code, server.reports().len()), (ExitCode::NotOurs, 0));
        let row = test.row();
        assert_eq!((test.people(), row.status, row.attempt), (0, JobStatus::Running, 2));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_is_asked_to_stop_rolls_back_and_reports_that_it_was_interrupted() {
    let test = TestDatabase::sqlite();
    test.register();
    let server = StepFunctions::start().await;
    let config = test.config(&[]);
    let asked = async {
        server.wait_for_beats(2).await;
        "SIGTERM"
    };
    let work = |job: &Job, _: &Database| work_until_stopped(job);
    let code = run(&config, server.client(), Patience::default(), asked, work).await;
    assert_eq!(code, ExitCode::FailureReported);
    assert_eq!(server.reports()[0].body["error"], "Import.Interrupted");
    assert_eq!(test.row().error.as_deref(), Some("Import.Interrupted"));
}

#[tokio::test(flavor = "multi_thread")]
async fn work_that_does_not_stop_is_left_behind_and_reported_as_interrupted() {
    let test = TestDatabase::postgres();
    test.register();
    let server = StepFunctions::start().await;
    let config = test.config(&[]);
    let patience = Patience { stop: Duration::from_millis(100), ..Patience::default() };
    let (go, wait) = channel::<()>();
    let (ended, end) = channel();
    let work = move |job: &Job, database: &Database| {
        let result = load_one_after(job, database, |_| wait.recv_timeout(DEADLINE).unwrap());
        ended.send(result.clone()).unwrap();
        result
    };
    let asked = async {
        server.wait_for_beats(2).await;
        "SIGTERM"
    };
    let code = run(&config, server.client(), patience, asked, work).await;
    assert_eq!(code, ExitCode::FailureReported);
    assert_eq!(server.reports()[0].body["error"], "Import.Interrupted");
    // Should the work go on after all, it finds itself shut out.
    go.send(()).unwrap();
    assert!(matches!(end.recv_timeout(DEADLINE).unwrap(), Err(Failure::NotOurs(_))));
    assert_eq!((test.people(), test.row().status), (0, JobStatus::Failure));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_waits_for_the_database_can_be_stopped_too() {
    let test = TestDatabase::sqlite();
    test.register();
    let mut load = test.connect();
    load.batch_execute("BEGIN IMMEDIATE").unwrap();
    let server = StepFunctions::start().await;
    let patience = Patience { stop: Duration::from_millis(100), ..Patience::default() };
    let work = |_: &Job, _: &Database| panic!("the work began");
    let asked = async {
        server.wait_for_beats(1).await;
        "SIGTERM"
    };
    let code = run(&test.config(&[]), server.client(), patience, asked, work).await;
    assert_eq!(code, ExitCode::FailureReported);
    assert_eq!(server.reports()[0].body["error"], "Import.Interrupted");
    load.batch_execute("ROLLBACK").unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_that_nobody_takes_does_not_hold_up_a_worker_that_is_to_stop() {
    let test = TestDatabase::sqlite();
    test.register();
    let server =
        StepFunctions::answering(|call, _| if is_beat(call) { Answer::Taken } else { Answer::Unavailable })
            .await;
    let patience = Patience { report_stopped: Duration::from_millis(100), ..Patience::default() };
    let asked = async {
        server.wait_for_beats(2).await;
        "SIGINT"
    };
    let work = |job: &Job, _: &Database| work_until_stopped(job);
    let config = test.config(&[]);
    let ended = run(&config, server.client(), patience, asked, work);
    let code = tokio::time::timeout(DEADLINE, ended).await.unwrap();
    assert_eq!((code, test.row().status), (ExitCode::NotOurs, JobStatus::Failure));
}

#[tokio::test]
async fn sigterm_and_sigint_ask_the_worker_to_stop() {
    for signal in ["SIGTERM", "SIGINT"] {
        let requested = shutdown::requested().unwrap();
        let own_id = std::process::id().to_string();
        // The shell's own `kill`: the program of that name is a package that a bare system does not have.
        let kill = format!("kill -s {} {own_id}", &signal[3..]);
        let sent = std::process::Command::new("sh").args(["-c", &kill]).status().unwrap();
        assert!(sent.success());
        assert_eq!(tokio::time::timeout(DEADLINE, requested).await, Ok(signal));
    }
}
