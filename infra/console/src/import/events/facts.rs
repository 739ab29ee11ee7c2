//! What an event tells beside its type, whichever field of details it has.

use aws_sdk_sfn::types::HistoryEvent;
use ops::show::execution::cause_for_people;

/// One thing that an event tells.
#[derive(Debug, PartialEq)]
pub(super) enum Data<'a> {
    /// A few words.
    Word(&'static str, String),
    /// JSON, which may be long.
    Json(&'static str, &'a str),
}

/// Whether an event is the whole execution's rather than a state's.
pub(super) fn of_whole(event: &HistoryEvent) -> bool {
    event.r#type.as_str().starts_with("Execution")
}

/// All that an event tells, its inputs and outputs last.
pub(super) fn data(event: &HistoryEvent) -> Vec<Data<'_>> {
    let mut data = words(event);
    // Each type has one field of details.
    macro_rules! details {
        ($($details:ident: $field:ident;)*) => {
            $(if let Some(text) = event.$details.as_ref().and_then(|details| details.$field.as_deref()) {
                data.push(Data::Json(stringify!($field), text));
            })*
        };
    }
    details! {
        execution_started_event_details: input;
        execution_succeeded_event_details: output;
        state_entered_event_details: input;
        state_exited_event_details: output;
        task_submitted_event_details: output;
        task_succeeded_event_details: output;
    }
    if let Some(scheduled) = &event.task_scheduled_event_details {
        data.push(Data::Json("parameters", &scheduled.parameters));
    }
    data
}

fn words(event: &HistoryEvent) -> Vec<Data<'_>> {
    let mut words = Vec::new();
    if let Some(details) = &event.task_scheduled_event_details {
        words.push(Data::Word("calls", format!("{}:{}", details.resource_type, details.resource)));
        let limits = [("timeout", details.timeout_in_seconds), ("heartbeat", details.heartbeat_in_seconds)];
        words.extend(
            limits.iter().filter_map(|(name, seconds)| Some(Data::Word(name, format!("{} s", (*seconds)?)))),
        );
    }
    if let Some(details) = &event.execution_redriven_event_details {
        words.extend(details.redrive_count.map(|count| Data::Word("redrive", count.to_string())));
    }
    macro_rules! failures {
        ($($details:ident)*) => {
            $(if let Some(details) = &event.$details {
                words.extend(details.error.clone().map(|error| Data::Word("error", error)));
                words.extend(details.cause.clone().map(|cause| {
                    Data::Word("cause", super::pretty(&cause_for_people(details.error.as_deref(), cause)))
                }));
            })*
        };
    }
    failures!(
        execution_failed_event_details execution_timed_out_event_details execution_aborted_event_details
        task_failed_event_details task_timed_out_event_details task_start_failed_event_details
        task_submit_failed_event_details evaluation_failed_event_details
    );
    words
}
