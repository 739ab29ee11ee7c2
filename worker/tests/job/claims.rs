//! Every outcome of a claim, on both databases, and what happens when many claim at once.

use std::sync::Barrier;
use std::time::Duration;

use statemachine::{FailureName, ImportOptions, ImportProgress, RejectLimit};
use worker::failure::Failure;
use worker::imports::{self, NewImport};
use worker::ledger::{self, Claim, JobRow, JobStatus};

use super::fixture::{
    ANOTHER, OURS, TestDatabase, by, by_id, described, fail as fail_as, new_import, succeed,
};

const LEASE: Duration = Duration::from_secs(300);

fn claim(test: &TestDatabase, execution_arn: &str) -> Claim {
    ledger::claim(&mut test.connect(), &by_id(), &by(execution_arn), LEASE).unwrap()
}

fn claimed_attempt(claim: &Claim) -> i32 {
    match claim {
        Claim::Claimed(row) => row.attempt,
        other => panic!("{other:?}"),
    }
}

fn name_of<T: std::fmt::Debug>(result: Result<T, Failure>) -> FailureName {
    match result {
        Err(Failure::Named { name, .. }) => name,
        other => panic!("{other:?}"),
    }
}

fn fail(test: &TestDatabase, attempt: i32) -> ledger::Failed {
    let failure = (FailureName::HeaderMismatch, "no column name");
    fail_as(&mut test.connect(), attempt, failure, ImportProgress { rows: 3, ..ImportProgress::default() })
}

#[test]
fn a_pending_import_is_claimed_as_the_first_attempt() {
    for test in TestDatabase::both() {
        test.register();
        assert_eq!(test.row().status, JobStatus::Pending);
        assert_eq!(claimed_attempt(&claim(&test, OURS)), 1);
        let row = test.row();
        assert_eq!((row.status, row.execution_arn.as_deref()), (JobStatus::Running, Some(OURS)));
        let lease = row.lease_expires_at.unwrap() - row.started_at.unwrap();
        assert_eq!(lease.to_std().unwrap(), LEASE);
    }
}

#[test]
fn a_failed_import_is_claimed_again_and_its_failure_forgotten() {
    for test in TestDatabase::both() {
        test.register();
        test.claim(ANOTHER);
        assert_eq!(fail(&test, 1), ledger::Failed::Recorded);
        let row = test.row();
        assert_eq!((row.status, row.rows_done), (JobStatus::Failure, 3));
        assert_eq!(
            (row.error.as_deref(), row.cause.as_deref()),
            (Some("Import.HeaderMismatch"), Some("no column name"))
        );
        assert_eq!(claimed_attempt(&claim(&test, OURS)), 2);
        let row = test.row();
        assert_eq!((row.error, row.cause, row.finished_at, row.rows_done), (None, None, None, 0));
    }
}

#[test]
fn an_execution_takes_over_from_its_own_earlier_attempt() {
    for test in TestDatabase::both() {
        test.register();
        test.claim(OURS);
        assert_eq!(claimed_attempt(&claim(&test, OURS)), 2);
        // What the replaced attempt says is not heard.
        assert_eq!(fail(&test, 1), ledger::Failed::NotOurs);
        assert_eq!(test.row().status, JobStatus::Running);
    }
}

#[test]
fn an_import_under_a_live_lease_of_another_execution_is_held_and_under_a_lapsed_one_claimed() {
    for test in TestDatabase::both() {
        test.register();
        test.claim(ANOTHER);
        match claim(&test, OURS) {
            Claim::Held(held) => assert_eq!(held.row, test.job()),
            other => panic!("{other:?}"),
        }
        assert_eq!(test.row().execution_arn.as_deref(), Some(ANOTHER));
        test.execute("UPDATE \"baton_jobs\" SET lease_expires_at = '2026-01-01 00:00:00'");
        assert_eq!(claimed_attempt(&claim(&test, OURS)), 2);
    }
}

#[test]
fn only_a_renewed_lease_proves_that_the_holder_lives() {
    let test = TestDatabase::sqlite();
    test.register();
    let row = test.job();
    let held = |attempt, minute| ledger::Held {
        row: JobRow {
            attempt,
            lease_expires_at: chrono::NaiveDate::from_ymd_opt(2026, 1, 1).unwrap().and_hms_opt(0, minute, 0),
            ..row.clone()
        },
    };
    assert!(held(1, 1).has_beaten_since(&held(1, 0)));
    assert!(!held(1, 0).has_beaten_since(&held(1, 0)));
    // It may be that of a container which its execution has given up, and which claimed when it woke.
    assert!(!held(2, 1).has_beaten_since(&held(1, 0)));
}

#[test]
fn success_is_reported_again_to_its_own_execution_and_as_a_duplicate_to_others() {
    for test in TestDatabase::both() {
        test.register();
        test.claim(OURS);
        assert!(succeed(&mut test.connect(), 1));
        let row = Box::new(test.job());
        assert_eq!(claim(&test, OURS), Claim::AlreadyDone(row.clone()));
        assert_eq!(claim(&test, ANOTHER), Claim::Duplicate(row.clone()));
        assert_eq!(fail(&test, 1), ledger::Failed::HadCommitted(row));
        assert_eq!(test.row().status, JobStatus::Success);
    }
}

#[test]
fn an_import_without_a_row_is_registered_if_described_and_refused_if_not() {
    for test in TestDatabase::both() {
        let result = ledger::claim(&mut test.connect(), &by_id(), &by(OURS), LEASE);
        assert_eq!(name_of(result), FailureName::NotRegistered);
        let claim = ledger::claim(&mut test.connect(), &described(), &by(OURS), LEASE).unwrap();
        assert_eq!(claimed_attempt(&claim), 1);
        assert_eq!(test.row().source, "s3://uploads/people.csv");
    }
}

#[test]
fn an_import_described_otherwise_than_registered_is_a_contradiction() {
    for test in TestDatabase::both() {
        test.register();
        test.register();
        let new = new_import();
        let others = [
            NewImport { source: "s3://uploads/other.csv".parse().unwrap(), ..new.clone() },
            NewImport { table: "orders".to_owned(), ..new.clone() },
            NewImport { version_id: Some("v2".to_owned()), ..new.clone() },
            NewImport {
                options: ImportOptions { max_rejects: RejectLimit::Rows(1), ..ImportOptions::default() },
                ..new
            },
        ];
        for other in others {
            assert_eq!(name_of(imports::register(&mut test.connect(), &other)), FailureName::Contradiction);
        }
        let elsewhere = NewImport {
            table: "orders".to_owned(),
            options: ImportOptions { dry_run: true, ..ImportOptions::default() },
            ..new_import()
        };
        let refusal = imports::register(&mut test.connect(), &elsewhere).unwrap_err().to_string();
        assert!(
            refusal
                .contains("is registered with another table and other options; send this one with another"),
            "{refusal}"
        );
        assert_eq!(imports::registered_otherwise(&test.row(), &new_import()), None);
        assert_eq!(test.row().status, JobStatus::Pending);
    }
}

#[test]
fn of_many_executions_that_claim_at_once_exactly_one_wins() {
    const WORKERS: usize = 8;
    for test in TestDatabase::both() {
        for round in 1..=3 {
            // The first round registers the row as well.
            let start = Barrier::new(WORKERS);
            let claims: Vec<_> = std::thread::scope(|scope| {
                let workers: Vec<_> = (0..WORKERS)
                    .map(|number| {
                        let (test, start) = (&test, &start);
                        scope.spawn(move || {
                            let mut connection = test.connect();
                            start.wait();
                            let execution = format!("{OURS}-{round}-{number}");
                            ledger::claim(&mut connection, &described(), &by(&execution), LEASE).unwrap()
                        })
                    })
                    .collect();
                workers.into_iter().map(|worker| worker.join().unwrap()).collect()
            });
            let won = claims.iter().filter(|claim| matches!(claim, Claim::Claimed(_))).count();
            let lost = claims.iter().filter(|claim| matches!(claim, Claim::Held(_))).count();
            assert_eq!((won, lost), (1, WORKERS - 1), "{}", test.database.display_name());
            assert_eq!(test.row().attempt, round);
            test.execute("UPDATE \"baton_jobs\" SET lease_expires_at = '2026-01-01 00:00:00'");
        }
    }
}
