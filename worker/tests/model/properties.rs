//! What must hold, whatever happens; and that each of these tests would notice if it did not.

use super::explorer::{Check, Counterexample, explore};
use super::protocol::{Bounds, Course, Ending, Place, Rules, State, Status};
use super::steps::Step;

/// Two messages for one import, each with a retry: four containers, which may all live at once.
const TWO_MESSAGES: Bounds = Bounds { executions: 2, starts: 2, redrives: 0, renewals: 1 };
/// Two messages without a retry, and one of them is redriven.
const A_REDRIVE: Bounds = Bounds { executions: 2, starts: 1, redrives: 1, renewals: 1 };
/// One message whose container is replaced twice.
const THREE_CONTAINERS: Bounds = Bounds { executions: 1, starts: 3, redrives: 0, renewals: 2 };

/// What must hold for every step.
fn check(before: &State, step: Step, after: &State) -> Result<(), &'static str> {
    let (was, is) = (before.row, after.row);
    let holds = |holds: bool, sentence| if holds { Ok(()) } else { Err(sentence) };
    holds(after.copies <= 1, "the rows are in the table twice")?;
    holds((after.copies == 1) == (is.status == Status::Success), "rows and SUCCESS go together")?;
    holds(was.status != Status::Success || was == is, "SUCCESS is final")?;
    let is_claim = matches!(step, Step::Claim(_) | Step::ClaimUnheard(_));
    holds(was.attempt == is.attempt || is_claim, "only a claim raises the attempt's number")?;
    holds(
        was == is || own_attempt(before, step).is_none_or(|own| own == was.attempt),
        "a replaced attempt changes nothing",
    )?;
    let is_reported = |ending| {
        matches!(step, Step::Report(index)
        if before.workers[index].has_task && before.workers[index].place == Place::Reporting(ending))
    };
    holds(
        !is_reported(Ending::Imported) || was.status == Status::Success,
        "what is reported as imported is there",
    )?;
    // Its message is deleted now. Whoever else is at the import may fail, but then its own message tells so.
    let is_asked_for = after.executions.iter().any(|execution| execution.course != Course::Succeeded);
    holds(is.status == Status::Success || is_asked_for, "until the rows are there, a message asks for them")
}

/// The attempt under which a worker changes the row by this step.
fn own_attempt(before: &State, step: Step) -> Option<u8> {
    match step {
        Step::Renew(index)
        | Step::Commit(index)
        | Step::CommitUnheard(index)
        | Step::Record(index)
        | Step::RecordUnheard(index) => match before.workers[index].place {
            Place::Working { attempt, .. } | Place::Recording { attempt, .. } => Some(attempt),
            _ => None,
        },
        _ => None,
    }
}

fn fault_in(rules: Rules, check: Check) -> Counterexample {
    explore(rules, TWO_MESSAGES, check).err().unwrap()
}

fn holds_in_every_order(bounds: Bounds) {
    let explored =
        explore(Rules::KEPT, bounds, check).unwrap_or_else(|counterexample| panic!("{counterexample:?}"));
    // The model is not so small that nothing happens in it.
    let rests: Vec<_> = explored.states.iter().filter(|state| state.is_at_rest()).collect();
    for status in [Status::Pending, Status::Running, Status::Success, Status::Failure] {
        assert!(rests.iter().any(|state| state.row.status == status), "never at rest as {status:?}");
    }
    // Once faults stop, everything comes to rest.
    assert!(explored.always_ends(), "regular steps go round in a circle");
    for end in explored.ends() {
        assert!(end.is_at_rest(), "nobody takes the next step: {end:#?}");
        // What is still RUNNING was left by a worker that could not say so. An execution that failed stands for it, and
        // its redrive claims it.
        let can_be_redriven = end.executions.iter().any(|execution| execution.course == Course::Failed);
        assert!(end.row.status == Status::Success || can_be_redriven, "{end:#?}");
    }
}

#[test]
fn two_messages_for_one_import_in_every_order_of_events_bring_its_rows_once_or_leave_one_that_asks() {
    holds_in_every_order(TWO_MESSAGES);
}

#[test]
fn a_redrive_in_every_order_of_events_brings_the_rows_once_or_leaves_a_message_that_asks() {
    holds_in_every_order(A_REDRIVE);
}

#[test]
fn replaced_containers_in_every_order_of_events_bring_the_rows_once_or_leave_a_message_that_asks() {
    holds_in_every_order(THREE_CONTAINERS);
}

#[test]
fn without_the_attempts_number_in_the_commit_the_model_finds_rows_twice() {
    let rows_once: Check = |_, _, after| if after.copies <= 1 { Ok(()) } else { Err("rows twice") };
    let counterexample = fault_in(Rules { commit_checks_attempt: false, ..Rules::KEPT }, rows_once);
    let commits =
        counterexample.steps.iter().filter(|step| matches!(step, Step::Commit(_) | Step::CommitUnheard(_)));
    assert_eq!(commits.count(), 2, "{counterexample:?}");
}

#[test]
fn without_the_attempts_number_in_the_record_the_model_finds_a_late_failure() {
    let counterexample = fault_in(Rules { record_checks_attempt: false, ..Rules::KEPT }, check);
    assert_eq!(counterexample.broken, "a replaced attempt changes nothing", "{counterexample:?}");
}

#[test]
fn if_any_renewal_proved_life_the_model_finds_an_import_that_nobody_asks_for() {
    let counterexample = fault_in(Rules { life_needs_task: false, ..Rules::KEPT }, check);
    assert_eq!(
        counterexample.broken, "until the rows are there, a message asks for them",
        "{counterexample:?}"
    );
}
