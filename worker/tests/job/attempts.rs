//! What is written down of every attempt, on both databases.

use std::time::Duration;

use diesel::connection::SimpleConnection;
use statemachine::{FailureName, ImportProgress};
use worker::imports::{self, AttemptRow};
use worker::ledger::{self, Claim, Ended, Failed, Lease, Renewer};

use super::fixture::{
    ANOTHER, OURS, TestDatabase, WORKER, by_id, fail as fail_as, id, succeed as succeed_as,
};

const COUNTERS: ImportProgress = ImportProgress { rows: 10, rejects: 2, bytes: 300, bytes_total: 900 };

fn attempts(test: &TestDatabase) -> Vec<AttemptRow> {
    imports::attempts(&mut test.connect(), &id()).unwrap()
}

fn fail(test: &TestDatabase, attempt: i32) -> Failed {
    let failure = (FailureName::DatabaseUnavailable, "the database went away");
    fail_as(&mut test.connect(), attempt, failure, COUNTERS)
}

fn succeed(test: &TestDatabase, attempt: i32) -> bool {
    succeed_as(&mut test.connect(), attempt)
}

#[test]
fn every_attempt_is_kept_with_its_worker_and_its_end() {
    for test in TestDatabase::both() {
        test.register();
        assert!(attempts(&test).is_empty());
        test.claim(OURS);
        assert_eq!(fail(&test, 1), Failed::Recorded);
        test.claim(OURS);
        let mut renewer = Renewer::new(test.database.clone(), id(), 2, Duration::from_secs(300));
        renewer.renew(&COUNTERS.to_value(), Lease::Renewed).unwrap();
        test.claim(OURS);
        assert!(succeed(&test, 3));
        let kept = attempts(&test);
        let ends: Vec<_> = kept
            .iter()
            .map(|attempt| (attempt.attempt, attempt.ended_as.clone(), attempt.cause.as_deref()))
            .collect();
        assert_eq!(
            ends,
            [
                (1, Ended::Failure("Import.DatabaseUnavailable".to_owned()), Some("the database went away")),
                (2, Ended::Replaced, None),
                (3, Ended::Success, None),
            ]
        );
        let counts: Vec<_> = kept.iter().map(|one| (one.rows_done, one.rejects, one.bytes_done)).collect();
        // The second got so far before it was replaced.
        assert_eq!(counts, [(10, 2, 300), (10, 2, 300), (5, 1, 99)]);
        for attempt in &kept {
            assert_eq!((attempt.execution_arn.as_str(), attempt.worker.as_str()), (OURS, WORKER));
            assert_eq!(attempt.version.as_deref(), Some("1.2.3"));
            assert!(attempt.finished_at >= Some(attempt.started_at), "{attempt:?}");
        }
        assert_eq!(kept[1].finished_at, Some(kept[2].started_at));
    }
}

#[test]
fn the_attempt_at_work_is_open_and_tells_its_progress() {
    for test in TestDatabase::both() {
        test.register();
        test.claim(OURS);
        let mut load = test.connect();
        if test.url.starts_with("sqlite") {
            load.batch_execute("BEGIN IMMEDIATE").unwrap();
        }
        let mut renewer = Renewer::new(test.database.clone(), id(), 1, Duration::from_secs(300));
        renewer.renew(&COUNTERS.to_value(), Lease::Renewed).unwrap();
        let [only] = attempts(&test).try_into().unwrap();
        assert_eq!((&only.ended_as, only.finished_at), (&Ended::NotYet, None));
        assert_eq!((only.rows_done, only.rejects, only.bytes_done), (10, 2, 300));
    }
}

#[test]
fn an_attempt_that_was_replaced_does_not_write_its_end() {
    for test in TestDatabase::both() {
        test.register();
        test.claim(OURS);
        test.claim(OURS);
        let before = attempts(&test);
        assert_eq!(fail(&test, 1), Failed::NotOurs);
        assert!(!succeed(&test, 1));
        assert_eq!(attempts(&test), before);
    }
}

#[test]
fn a_claim_that_gets_nothing_writes_nothing() {
    for test in TestDatabase::both() {
        test.register();
        test.claim(ANOTHER);
        let before = attempts(&test);
        let lease = Duration::from_secs(300);
        let held = ledger::claim(&mut test.connect(), &by_id(), &super::fixture::by(OURS), lease).unwrap();
        assert!(matches!(held, Claim::Held(_)), "{held:?}");
        assert_eq!(attempts(&test), before);
    }
}

/// The statements of the version before, which knows no attempts.
#[test]
fn a_worker_of_the_version_before_leaves_a_gap_and_nothing_that_fails() {
    for test in TestDatabase::both() {
        test.register();
        test.claim(OURS);
        test.execute(
            "UPDATE \"baton_jobs\" SET attempt = attempt + 1, execution_arn = 'arn:old', error = NULL, cause = NULL",
        );
        let [first] = attempts(&test).try_into().unwrap();
        assert_eq!(first.ended_as, Ended::Replaced);
        // The old one is claimed from, and ends, as ever.
        assert_eq!(fail(&test, 2), Failed::Recorded);
        test.claim(OURS);
        assert!(succeed(&test, 3));
        let kept: Vec<_> = attempts(&test).into_iter().map(|one| (one.attempt, one.ended_as)).collect();
        assert_eq!(kept, [(1, Ended::Replaced), (3, Ended::Success)]);
    }
}

#[test]
fn an_import_that_is_counted_anew_or_deleted_takes_its_attempts_along() {
    for test in TestDatabase::both() {
        test.register();
        test.claim(OURS);
        test.claim(OURS);
        test.execute("UPDATE \"baton_jobs\" SET attempt = 0, status = 'PENDING'");
        test.claim(ANOTHER);
        let [only] = attempts(&test).try_into().unwrap();
        assert_eq!((only.attempt, only.execution_arn.as_str()), (1, ANOTHER));
        test.execute("DELETE FROM \"baton_jobs\"");
        test.register();
        assert!(attempts(&test).is_empty());
    }
}
