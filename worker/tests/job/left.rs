//! Imports whose execution ended, and whose worker wrote no end into the row.

use std::time::Duration;

use statemachine::{FailureName, ImportProgress};
use worker::imports::{self, ImportRow};
use worker::ledger::{self, Claim, Ended, EndedExecution, JobRow, JobStatus, Lease, Renewal, Renewer};

use super::fixture::{ANOTHER, OURS, TestDatabase, by, by_id, fail, id, succeed};

const STOPPED: EndedExecution<'_> =
    EndedExecution { execution_arn: OURS, error: "Cancelled", cause: "cancelled by joe@host" };

fn end(test: &TestDatabase, seen: &JobRow) -> bool {
    ledger::end_what_was_left(&mut test.connect(), seen, &STOPPED).unwrap()
}

fn is_cancelled(row: &ImportRow) -> bool {
    row.status == JobStatus::Failure
        && row.error.as_deref() == Some("Cancelled")
        && row.cause.as_deref() == Some("cancelled by joe@host")
        && row.execution_arn.as_deref() == Some(OURS)
        && row.finished_at.is_some()
        && row.lease_expires_at.is_none()
}

#[test]
fn an_import_that_was_stopped_before_its_claim_ends_so_and_can_be_claimed_by_anybody() {
    for test in TestDatabase::both() {
        test.register();
        let pending = test.job();
        assert!(end(&test, &pending));
        assert!(is_cancelled(&test.row()), "{:?}", test.row());
        assert!(!end(&test, &pending), "its row has changed since");
        assert!(imports::attempts(&mut test.connect(), &id()).unwrap().is_empty());
        let claimed = test.claim(ANOTHER);
        assert_eq!((claimed.attempt, claimed.status, claimed.error), (1, JobStatus::Running, None));
    }
}

#[test]
fn an_import_whose_worker_was_killed_ends_so_with_its_attempt_and_needs_no_wait_for_the_lease() {
    for test in TestDatabase::both() {
        test.register();
        test.claim(OURS);
        let mut renewer = Renewer::new(test.database.clone(), id(), 1, Duration::from_secs(300));
        let counters = ImportProgress { rows: 10, rejects: 2, bytes: 300, bytes_total: 900 };
        assert_eq!(renewer.renew(&counters.to_value(), Lease::Renewed).unwrap(), Renewal::Ours);
        let seen = test.job();
        assert!(end(&test, &seen));
        let row = test.row();
        assert!(
            is_cancelled(&row) && (row.rows_done, row.rejects, row.bytes_done) == (10, 2, 300),
            "{row:?}"
        );
        let attempts = imports::attempts(&mut test.connect(), &id()).unwrap();
        assert_eq!(attempts[0].ended_as, Ended::Failure("Cancelled".to_owned()));
        assert_eq!((attempts[0].rows_done, attempts[0].finished_at.is_some()), (10, true));

        // It is alive after all, and learns that the import is not its own any more.
        assert_eq!(renewer.renew(&counters.to_value(), Lease::Renewed).unwrap(), Renewal::NotOurs);
        assert!(!succeed(&mut test.connect(), 1));
        let lease = Duration::from_secs(300);
        let claim = ledger::claim(&mut test.connect(), &by_id(), &by(ANOTHER), lease).unwrap();
        assert!(matches!(claim, Claim::Claimed(row) if row.attempt == 2));
    }
}

#[test]
fn an_import_whose_worker_wrote_that_it_was_interrupted_tells_why_its_execution_was_stopped() {
    for test in TestDatabase::both() {
        test.register();
        test.claim(OURS);
        let counters = ImportProgress { rows: 10, rejects: 2, bytes: 300, bytes_total: 900 };
        let interrupted = (FailureName::Interrupted, "asked to stop");
        fail(&mut test.connect(), 1, interrupted, counters);
        let seen = test.job();
        let other = EndedExecution { execution_arn: ANOTHER, ..STOPPED };
        assert!(!ledger::end_what_was_left(&mut test.connect(), &seen, &other).unwrap());
        assert_eq!(test.job(), seen, "it is another execution's");
        assert!(end(&test, &seen));
        let (row, stopped) = (test.row(), test.job());
        assert!(is_cancelled(&row) && row.rows_done == 10, "{row:?}");
        assert_eq!((row.attempt, row.finished_at), (1, seen.finished_at));
        let attempts = imports::attempts(&mut test.connect(), &id()).unwrap();
        assert_eq!(
            attempts[0].ended_as,
            Ended::Failure("Import.Interrupted".to_owned()),
            "the worker's words"
        );

        test.claim(OURS);
        assert!(!end(&test, &stopped), "a redrive was quicker");
        assert_eq!(test.row().status, JobStatus::Running);
    }
}

#[test]
fn a_row_that_has_changed_since_or_is_another_executions_keeps_what_it_says() {
    for test in TestDatabase::both() {
        test.register();
        let pending = test.job();
        test.claim(OURS);
        assert!(!end(&test, &pending), "a worker was quicker");
        let first = test.job();
        test.claim(OURS);
        assert!(!end(&test, &first), "another attempt was quicker");
        let seen = test.job();
        let other = EndedExecution { execution_arn: ANOTHER, ..STOPPED };
        assert!(!ledger::end_what_was_left(&mut test.connect(), &seen, &other).unwrap());
        assert!(succeed(&mut test.connect(), 2));
        assert!(!end(&test, &seen) && !end(&test, &test.job()), "its rows are in the table");
        assert_eq!(test.row().status, JobStatus::Success);
    }
}
