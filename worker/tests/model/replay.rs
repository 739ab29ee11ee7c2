//! Takes the model's steps with the real functions, on a real database: whatever a walk through the model does to the
//! import's row, `worker::ledger` must do, and answer what the model's worker hears.

use std::time::Duration;

use diesel::connection::SimpleConnection;
use diesel::{Connection as _, RunQueryDsl};
use serde_json::json;
use statemachine::{FailureName, JobId};
use worker::db::Connection;
use worker::imports::{self, asked};
use worker::ledger::{
    self, Asked, Claim, Ended, Failed, Held, JobStatus, Lease, Renewal, Renewer, Succeeded,
};

use super::protocol::{Bounds, Ending, Look, Place, Rules, State, Status, Worker};
use super::steps::{Step, after, possible};
use crate::job::fixture::{TestDatabase, by, new_import};

const BOUNDS: Bounds = Bounds { executions: 2, starts: 3, redrives: 1, renewals: 2 };
const WALKS: u64 = 300;
const LONGEST_WALK: usize = 60;
const LEASE: Duration = Duration::from_secs(300);

/// One import in the database, followed step by step.
struct Replay<'a> {
    test: &'a TestDatabase,
    connection: Connection,
    asked: Asked,
    id: JobId,
    /// What the database answered to looks that waiting workers have in mind.
    looks: Vec<(Look, Held)>,
}

#[test]
fn the_code_takes_the_steps_of_the_model() {
    let test = TestDatabase::sqlite();
    let mut taken = std::collections::BTreeMap::new();
    for walk in 0..WALKS {
        let mut replay = Replay::new(&test, walk);
        let mut dice = Dice(walk);
        let mut state = State::first(BOUNDS);
        for _ in 0..LONGEST_WALK {
            let steps = possible(&state, Rules::KEPT, BOUNDS);
            let Some(step) = dice.choose(&steps) else { break };
            let next = after(&state, step, Rules::KEPT, BOUNDS);
            replay.take(&state, step, &next);
            replay.compare(&next, &format!("walk {walk}: {step:?} from {state:#?}"));
            *taken.entry(format!("{step:?}").split('(').next().unwrap().to_owned()).or_insert(0) += 1;
            state = next;
        }
    }
    // Every kind of step was among them, often.
    assert_eq!(taken.len(), 20, "{taken:?}");
    assert!(taken.values().all(|times| *times >= 20), "{taken:?}");
}

impl<'a> Replay<'a> {
    fn new(test: &'a TestDatabase, walk: u64) -> Self {
        let asked = asked(&serde_json::from_str(&format!(r#"{{"import_id":"walk-{walk}"}}"#)).unwrap());
        let id = asked.id.clone();
        let mut connection = test.connect();
        let new = imports::NewImport { import_id: id.clone(), ..new_import() };
        imports::register(&mut connection, &new).unwrap();
        Self { test, connection, asked, id, looks: Vec::new() }
    }

    /// Takes the step, and compares what the worker is told with what the model's worker makes of it.
    fn take(&mut self, before: &State, step: Step, after: &State) {
        let attempt_of = |index: usize| match before.workers[index].place {
            Place::Working { attempt, .. } | Place::Recording { attempt, .. } => i32::from(attempt),
            place => panic!("{step:?} at {place:?}"),
        };
        let is_in = |place: Place| after.workers.iter().any(|worker| worker.place == place);
        match step {
            Step::Claim(index) => self.claim(before, index, after),
            Step::ClaimUnheard(index) => {
                let arn = arn(before.workers[index].execution);
                ledger::claim(&mut self.connection, &self.asked, &by(&arn), LEASE).unwrap();
            }
            Step::Renew(index) => {
                let attempt = attempt_of(index);
                let mut renewer = Renewer::new(self.test.database.clone(), self.id.clone(), attempt, LEASE);
                let is_ours = renewer.renew(&json!({}), Lease::Renewed).unwrap() == Renewal::Ours;
                assert_eq!(is_ours, before.row != after.row);
            }
            Step::Commit(index) | Step::CommitUnheard(index) => {
                let is_committed = self.commit(attempt_of(index));
                assert_eq!(is_committed, before.copies != after.copies);
            }
            Step::Record(index) | Step::RecordUnheard(index) => {
                let attempt = attempt_of(index);
                let failure = (FailureName::Interrupted.as_str(), "the model says so");
                let failed =
                    ledger::fail(&mut self.connection, (&self.id, attempt), failure, &json!({}), None)
                        .unwrap();
                match failed {
                    Failed::Recorded => assert_ne!(before.row, after.row),
                    Failed::HadCommitted(row) => {
                        assert_eq!((before.row, row.attempt), (after.row, attempt));
                        let is_told = before.workers[index].has_task && matches!(step, Step::Record(_));
                        assert!(!is_told || is_in(Place::Reporting(Ending::Imported)));
                    }
                    Failed::NotOurs => assert_eq!(before.row, after.row),
                    Failed::Busy => panic!("nobody else has a lock"),
                }
            }
            // Time passes.
            Step::Lapse => self
                .connection
                .batch_execute(&format!(
                    "UPDATE \"baton_jobs\" SET lease_expires_at = '2026-01-01 00:00:00' WHERE id = '{}'",
                    self.id
                ))
                .unwrap(),
            // These are between the worker and Step Functions, or reach nobody.
            Step::Start(_)
            | Step::FirstBeat(_)
            | Step::FirstBeatLost(_)
            | Step::Beat(_)
            | Step::Fail(..)
            | Step::RecordLost(_)
            | Step::Report(_)
            | Step::ReportLost(_)
            | Step::Crash(_)
            | Step::TimeOut(_)
            | Step::Stop(_)
            | Step::Redrive(_) => {}
        }
    }

    fn claim(&mut self, before: &State, index: usize, after: &State) {
        let worker = before.workers[index];
        let Place::Claiming { first } = worker.place else { panic!("{worker:?} claims") };
        let is_now = |place| after.workers.contains(&Worker { place, ..worker });
        let arn = arn(worker.execution);
        match ledger::claim(&mut self.connection, &self.asked, &by(&arn), LEASE).unwrap() {
            Claim::Claimed(row) => {
                assert_eq!(row.attempt, i32::from(after.row.attempt));
                assert!(is_now(Place::Working { attempt: after.row.attempt, is_awaited: false }));
            }
            Claim::AlreadyDone(_) => assert!(is_now(Place::Reporting(Ending::Imported))),
            Claim::Duplicate(_) => assert!(is_now(Place::Reporting(Ending::Duplicate))),
            Claim::Busy => panic!("nobody else has a lock"),
            Claim::Held(held) => {
                let now = Look { attempt: before.row.attempt, renewals: before.row.renewals };
                let earlier =
                    first.and_then(|first| self.looks.iter().rev().find(|(look, _)| *look == first));
                let is_alive = earlier.is_some_and(|(_, earlier)| held.has_beaten_since(earlier));
                let expected = if is_alive {
                    Place::Reporting(Ending::Duplicate)
                } else {
                    Place::Claiming { first: Some(now) }
                };
                assert!(is_now(expected), "{first:?}, then {now:?}, is {expected:?}");
                self.looks.push((now, *held));
            }
        }
    }

    /// Writes a row and ends with SUCCESS, in one transaction, as the work does.
    fn commit(&mut self, attempt: i32) -> bool {
        let (result, progress) = (json!({"rows": 1}), json!({}));
        let id = &self.id;
        let committed = self.connection.transaction(|connection| {
            diesel::sql_query(format!("INSERT INTO people VALUES ('{id}')")).execute(connection)?;
            match ledger::succeed(connection, id, attempt, Succeeded { result: &result, progress: &progress })
            {
                Ok(true) => Ok(()),
                Ok(false) => Err(diesel::result::Error::RollbackTransaction),
                Err(failure) => panic!("{failure}"),
            }
        });
        committed.is_ok()
    }

    /// The row in the database is that of the model.
    fn compare(&mut self, state: &State, when: &str) {
        let row = imports::find(&mut self.connection, &self.id).unwrap().unwrap();
        let status = match state.row.status {
            Status::Pending => JobStatus::Pending,
            Status::Running => JobStatus::Running,
            Status::Success => JobStatus::Success,
            Status::Failure => JobStatus::Failure,
        };
        assert_eq!((row.status, row.attempt), (status, i32::from(state.row.attempt)), "{when}");
        assert_eq!(row.execution_arn, state.row.execution.map(arn), "{when}");
        let has_lapsed = row.lease_expires_at.map(|end| end < chrono::Utc::now().naive_utc());
        let is_running = state.row.status == Status::Running;
        assert_eq!(has_lapsed, is_running.then_some(state.row.lapsed), "{when}");
        self.compare_attempts(state, when);
        let copies = diesel::dsl::sql::<diesel::sql_types::BigInt>(&format!(
            "SELECT count(*) FROM people WHERE name = '{}'",
            self.id
        ));
        assert_eq!(copies.get_result::<i64>(&mut self.connection), Ok(state.copies.into()), "{when}");
    }
}

impl Replay<'_> {
    /// Every attempt is written down, and only the last may be open or have succeeded.
    fn compare_attempts(&mut self, state: &State, when: &str) {
        let attempts = imports::attempts(&mut self.connection, &self.id).unwrap();
        let numbers: Vec<_> = attempts.iter().map(|attempt| attempt.attempt).collect();
        assert_eq!(numbers, (1..=i32::from(state.row.attempt)).collect::<Vec<_>>(), "{when}");
        let Some((last, earlier)) = attempts.split_last() else { return };
        assert_eq!(Some(&last.execution_arn), state.row.execution.map(arn).as_ref(), "{when}");
        let failed = Ended::Failure("Import.Interrupted".to_owned());
        let ended = match state.row.status {
            Status::Pending => unreachable!("{when}"),
            Status::Running => Ended::NotYet,
            Status::Success => Ended::Success,
            Status::Failure => failed.clone(),
        };
        assert_eq!(last.ended_as, ended, "{when}");
        assert!(
            earlier.iter().all(|attempt| attempt.ended_as == Ended::Replaced || attempt.ended_as == failed),
            "{when}: {attempts:?}"
        );
        assert!(earlier.iter().all(|attempt| attempt.finished_at.is_some()), "{when}: {attempts:?}");
    }
}

fn arn(execution: usize) -> String {
    format!("arn:aws:states:eu-west-1:123456789012:execution:import:{execution}")
}

/// The same throws at each run of the test.
struct Dice(u64);

impl Dice {
    fn choose(&mut self, steps: &[Step]) -> Option<Step> {
        // Ends that come too soon make dull walks.
        let dull = |step: &Step| matches!(step, Step::Crash(_) | Step::Stop(_) | Step::TimeOut(_));
        let lively: Vec<_> = steps.iter().filter(|step| !dull(step)).collect();
        let lively = if lively.is_empty() || self.throw(8) == 0 { steps.iter().collect() } else { lively };
        (!lively.is_empty()).then(|| *lively[self.throw(lively.len())])
    }

    /// A number below `sides`: Knuth's MMIX generator.
    fn throw(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % sides
    }
}
