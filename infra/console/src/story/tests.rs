use aws_sdk_sfn::primitives;
use aws_sdk_sfn::types::{
    ExecutionFailedEventDetails, StateEnteredEventDetails, StateExitedEventDetails, TaskFailedEventDetails,
};

use super::*;

/// A history in words: `+State`, `-State`, `scheduled`, `ok`, `error NAME`, `failed NAME`, `redriven`.
pub(crate) fn history(words: &[&str]) -> Vec<HistoryEvent> {
    let event = |(index, word): (usize, &&str)| {
        let builder = HistoryEvent::builder()
            .id(index as i64 + 1)
            .timestamp(primitives::DateTime::from_secs(1_000_000 + index as i64));
        let builder = match word.split_once(' ') {
            _ if word.starts_with('+') => {
                let details = StateEnteredEventDetails::builder().name(&word[1..]).build().unwrap();
                builder.r#type(Kind::TaskStateEntered).state_entered_event_details(details)
            }
            _ if word.starts_with('-') => {
                let details = StateExitedEventDetails::builder().name(&word[1..]).build().unwrap();
                builder.r#type(Kind::TaskStateExited).state_exited_event_details(details)
            }
            Some(("error", name)) => {
                let details = TaskFailedEventDetails::builder()
                    .resource_type("ecs")
                    .resource("runTask.sync")
                    .error(name)
                    .cause(r#"{"TaskArn":"arn:task","StoppedReason":"gone"}"#)
                    .build()
                    .unwrap();
                builder.r#type(Kind::TaskFailed).task_failed_event_details(details)
            }
            Some(("failed", name)) => {
                let details = ExecutionFailedEventDetails::builder().error(name).cause("why").build();
                builder.r#type(Kind::ExecutionFailed).execution_failed_event_details(details)
            }
            _ => builder.r#type(match *word {
                "scheduled" => Kind::TaskScheduled,
                "ok" => Kind::TaskSucceeded,
                "redriven" => Kind::ExecutionRedriven,
                "aborted" => Kind::ExecutionAborted,
                _ => Kind::ExecutionStarted,
            }),
        };
        builder.build().unwrap()
    };
    words.iter().enumerate().map(event).collect()
}

pub(crate) const CAUGHT_RETRIED_REDRIVEN: &[&str] = &[
    "started",
    "+CheckMessage",
    "-CheckMessage",
    "+HoldMessage",
    "scheduled",
    "error Sqs.Gone",
    "-HoldMessage",
    "+RunImport",
    "scheduled",
    "error States.TaskFailed",
    "scheduled",
    "error Import.TableMissing",
    "failed Import.TableMissing",
    "redriven",
    "scheduled",
];

fn story(words: &[&str]) -> Story {
    let mut story = Story::default();
    story.go_on(&history(words));
    story
}

#[test]
fn retries_redrives_and_catches_are_told_apart() {
    let told = story(CAUGHT_RETRIED_REDRIVEN);
    let run = told.of("RunImport").unwrap();
    assert_eq!((run.how, run.retries, run.redrives, run.visits), (How::Running, 1, 1, 1));
    assert_eq!(told.of("HoldMessage").unwrap().how, How::Caught);
    assert_eq!(told.went("HoldMessage", "RunImport", true), 1);
    assert_eq!(told.went("HoldMessage", "RunImport", false), 0);
    assert_eq!(told.went("CheckMessage", "HoldMessage", false), 1);
    assert_eq!(told.of("DeleteMessage"), None);
    assert_eq!(told.current(), Some("RunImport"));
    assert_eq!(
        [1, 2, 6, 7, 15].map(|event| told.state_at(event).unwrap_or_default()),
        ["", "CheckMessage", "HoldMessage", "HoldMessage", "RunImport"]
    );
    let errors: Vec<_> = told.tries.iter().map(|one| one.error.as_deref()).collect();
    let expected = ["Sqs.Gone", "States.TaskFailed", "Import.TableMissing"];
    assert_eq!(errors, [&expected.map(Some)[..], &[None]].concat());
    assert_eq!(told.tries[1].cause.as_deref(), Some("the container stopped: gone"));
    assert_eq!(told.tries[1].task_arn.as_deref(), Some("arn:task"));
}

#[test]
fn an_execution_that_ended_ends_the_state_where_it_stood() {
    let failed = story(&CAUGHT_RETRIED_REDRIVEN[..13]);
    let run = failed.of("RunImport").unwrap();
    assert_eq!((run.how, run.error.as_deref()), (How::Failed, Some("Import.TableMissing")));
    let aborted = story(&["started", "+RunImport", "scheduled", "aborted"]);
    assert_eq!(aborted.of("RunImport").unwrap().how, How::Aborted);
    assert!(aborted.tries[0].ended_at.is_some());
    let done = story(&["started", "+RunImport", "scheduled", "error A.B", "scheduled", "ok", "-RunImport"]);
    let run = done.of("RunImport").unwrap();
    assert_eq!((run.how, run.retries, &run.error), (How::Succeeded, 1, &None));
}

#[test]
fn a_story_that_goes_on_in_parts_is_the_same_as_one_told_at_once() {
    let events = history(CAUGHT_RETRIED_REDRIVEN);
    let whole = story(CAUGHT_RETRIED_REDRIVEN);
    for cut in 0..events.len() {
        let mut parts = Story::default();
        parts.go_on(&events[..cut]);
        // Pages overlap where somebody asks again.
        parts.go_on(&events[cut.saturating_sub(2)..]);
        assert_eq!((&parts.states, &parts.tries, &parts.ways), (&whole.states, &whole.tries, &whole.ways));
    }
}
