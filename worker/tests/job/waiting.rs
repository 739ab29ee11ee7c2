//! Waiting for others: for a lock in the database, or for an import that another execution holds. Whoever waits beats, can be
//! stopped, and costs the database little.

use std::future::pending;
use std::sync::Arc;
use std::time::{Duration, Instant};

use diesel::RunQueryDsl as _;
use diesel::connection::SimpleConnection as _;
use diesel::sql_types::BigInt;
use statemachine::{ExitCode, FailureName};
use tokio::sync::Notify;
use worker::db::{Connection, Database};
use worker::failure::Failure;
use worker::import::Summary;
use worker::imports;
use worker::job::Patience;
use worker::ledger::{self, Claim, Failed, JobStatus, Registered};

use super::fixture::{ANOTHER, Job, OURS, TestDatabase, by, described, id, import, new_import, run};
use super::heartbeats::load_one;
use crate::step_functions::{Call, StepFunctions};

const LEASE: Duration = Duration::from_secs(300);

fn is_failure(call: &Call) -> bool {
    call.operation == "SendTaskFailure"
}

/// A connection that has the lock for writing until it is dropped.
fn locked(test: &TestDatabase) -> Connection {
    let mut other = test.connect();
    let lock = match &other {
        Connection::Sqlite(_) => "BEGIN IMMEDIATE",
        Connection::Postgres(_) => "BEGIN; LOCK TABLE \"baton_jobs\" IN EXCLUSIVE MODE",
    };
    other.batch_execute(lock).unwrap();
    other
}

#[test]
fn a_lock_that_another_session_has_is_told_from_a_database_that_is_away() {
    for test in TestDatabase::both() {
        test.register();
        let row = test.claim(OURS);
        let mut connection = test.connect();
        ledger::wait_briefly(&mut connection).unwrap();
        let other = locked(&test);
        let claimed = ledger::claim(&mut connection, &described(), &by(OURS), LEASE).unwrap();
        assert!(matches!(claimed, Claim::Busy), "{claimed:?}");
        let failure = (FailureName::Internal.as_str(), "a cause");
        let told = statemachine::ImportProgress::default().to_value();
        let mut fail = || ledger::fail(&mut connection, (&id(), row.attempt), failure, &told, None).unwrap();
        assert_eq!(fail(), Failed::Busy);
        drop(other);
        assert_eq!(fail(), Failed::Recorded);
        let other = locked(&test);
        // What is there already needs no lock.
        assert_eq!(imports::register(&mut connection, &new_import()).unwrap(), Registered::Yes);
        let another = imports::NewImport { import_id: "b".parse().unwrap(), ..new_import() };
        assert_eq!(imports::register(&mut connection, &another).unwrap(), Registered::Busy);
        drop(other);
        assert_eq!(imports::register(&mut connection, &another).unwrap(), Registered::Yes);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_claim_behind_a_long_import_beats_until_it_has_the_lock() {
    for test in TestDatabase::both() {
        test.register();
        let server = StepFunctions::start().await;
        let other = locked(&test);
        let config = test.config(&[]);
        let import = run(&config, server.client(), Patience::default(), pending(), load_one);
        let release = async {
            server.wait_for_beats(4).await;
            assert_eq!(test.row().status, JobStatus::Pending);
            drop(other);
            pending().await
        };
        let code = tokio::select! {
            code = import => code,
            () = release => unreachable!("it waits for ever"),
        };
        assert_eq!((code, test.row().attempt, test.people()), (ExitCode::Reported, 1, 1));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_waits_for_a_lock_can_be_stopped() {
    let test = TestDatabase::sqlite();
    test.register();
    let server = StepFunctions::start().await;
    let other = locked(&test);
    let config = test.config(&[]);
    let shutdown = async {
        server.wait_for_beats(2).await;
        "SIGTERM"
    };
    let begun = Instant::now();
    let code = run(&config, server.client(), Patience::default(), shutdown, load_one).await;
    assert_eq!((code, test.row().status), (ExitCode::FailureReported, JobStatus::Pending));
    assert!(server.reports().iter().all(is_failure) && begun.elapsed() < Duration::from_secs(10));
    drop(other);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_behind_a_long_import_waits_until_it_is_in_its_row() {
    for test in TestDatabase::both() {
        test.register();
        let server = StepFunctions::start().await;
        let (config, has_failed) = (test.config(&[]), Arc::new(Notify::new()));
        let (another, tell) = (test.database.clone(), Arc::clone(&has_failed));
        let (give, take) = std::sync::mpsc::channel::<Connection>();
        let work = move |_: &Job, _: &Database| -> Result<Summary, Failure> {
            let mut other = another.connect()?;
            let lock = match &other {
                Connection::Sqlite(_) => "BEGIN IMMEDIATE",
                Connection::Postgres(_) => "BEGIN; LOCK TABLE \"baton_jobs\" IN EXCLUSIVE MODE",
            };
            other.batch_execute(lock).unwrap();
            give.send(other).unwrap();
            tell.notify_one();
            Err(Failure::named(FailureName::SourceMissing, "there is no such object"))
        };
        // The lock is there for longer than a database that is away has time.
        let patience = Patience { record: Duration::from_secs(3), ..Patience::default() };
        let import = run(&config, server.client(), patience, pending(), work);
        let release = async {
            has_failed.notified().await;
            let until = server.beats() + 5;
            server.wait_for_beats(until).await;
            assert_eq!((test.row().status, server.reports().len()), (JobStatus::Running, 0));
            drop(take.recv().unwrap());
            pending().await
        };
        let code = tokio::select! {
            code = import => code,
            () = release => unreachable!("it waits for ever"),
        };
        let row = test.row();
        assert_eq!((code, row.status), (ExitCode::FailureReported, JobStatus::Failure));
        assert_eq!(row.error.as_deref(), Some("Import.SourceMissing"));
        assert!(server.reports().len() == 1 && is_failure(&server.reports()[0]));
    }
}

#[derive(diesel::QueryableByName)]
struct Statistics {
    #[diesel(sql_type = BigInt)]
    sessions: i64,
    #[diesel(sql_type = BigInt)]
    rollbacks: i64,
}

#[derive(diesel::QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

#[tokio::test(flavor = "multi_thread")]
async fn a_waiter_keeps_one_connection_and_the_servers_log_has_no_error_of_it() {
    let test = TestDatabase::postgres();
    test.register();
    test.claim(ANOTHER);
    test.execute(
        "UPDATE \"baton_jobs\" SET lease_expires_at = now() AT TIME ZONE 'UTC' + interval '5 seconds'",
    );
    let mut look = test.connect();
    let mut statistics = || -> Statistics {
        let query = "SELECT sessions, xact_rollback AS rollbacks FROM pg_stat_database, pg_stat_clear_snapshot() \
            WHERE datname = current_database()";
        diesel::sql_query(query).get_result(&mut look).unwrap()
    };
    let before = statistics();
    let server = StepFunctions::start().await;
    let import = serde_json::to_string(&import()).unwrap();
    let config = test.config(&[("IMPORT", &import)]);
    let code = run(&config, server.client(), Patience::default(), pending(), load_one).await;
    assert_eq!((code, test.row().attempt), (ExitCode::Reported, 2));
    let after = statistics();
    // The one that waits, the one that loads, the one that beats, and that of the look at the row.
    let sessions = after.sessions - before.sessions;
    assert!((3..=5).contains(&sessions), "{sessions} sessions in five seconds");
    assert_eq!(after.rollbacks, before.rollbacks, "each is an error in the server's log");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_breaks_between_two_looks_at_an_import_is_replaced() {
    let test = TestDatabase::postgres();
    test.register();
    test.claim(ANOTHER);
    let server = StepFunctions::start().await;
    let config = test.config(&[]);
    let import = run(&config, server.client(), Patience::default(), pending(), load_one);
    let of_others = "FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()";
    let interfere = async {
        server.wait_for_beats(2).await;
        let mut other = test.connect();
        let end = format!("SELECT count(pg_terminate_backend(pid)) AS count {of_others}");
        let ended = diesel::sql_query(end).get_result::<Count>(&mut other).unwrap();
        assert_eq!(ended.count, 1, "the one that waits");
        let until = server.beats() + 2;
        server.wait_for_beats(until).await;
        assert!(server.reports().is_empty());
        other.batch_execute("UPDATE \"baton_jobs\" SET lease_expires_at = now() AT TIME ZONE 'UTC'").unwrap();
        pending().await
    };
    let code = tokio::select! {
        code = import => code,
        () = interfere => unreachable!("it waits for ever"),
    };
    assert_eq!((code, test.row().attempt, test.people()), (ExitCode::Reported, 2, 1));
}
