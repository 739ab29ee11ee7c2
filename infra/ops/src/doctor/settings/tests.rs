use super::super::check::Status;
use super::*;

/// The embedded stack's own, in which nothing contradicts anything.
fn sound() -> Settings {
    let text = |text: &str| Some(text.to_owned());
    Settings {
        queue_url: "https://q".to_owned(),
        import_state_machine_arn: "arn:import".to_owned(),
        dead_letter_state_machine_arn: "arn:dead-letter".to_owned(),
        database: "postgres db:5432/rows".to_owned(),
        visibility_timeout_s: Some(60.0),
        retention_s: Some(1_209_600.0),
        queue_is_known: true,
        redrive_target_arn: text("arn:dlq"),
        max_receive_count: Some(5.0),
        dead_letter_queue_arn: text("arn:dlq"),
        dead_letter_retention_s: Some(1_209_600.0),
        hold_s: Some(42_000.0),
        run_timeout_s: Some(36_000.0),
        heartbeat_s: Some(60.0),
        heartbeat_interval_s: Some(20.0),
        stall_limit_s: Some(60.0),
        lease_s: Some(300.0),
        worker_database: text("postgres db:5432/rows"),
        function_timeout_s: Some(10.0),
        function_hold_s: Some(42_000.0),
        function_queue_url: text("https://q"),
        function_import_machine: text("arn:import"),
        function_dead_letter_machine: text("arn:dead-letter"),
        batch_size: Some(10.0),
        reports_item_failures: Some(true),
        mapping_state: text("Enabled"),
        ..Settings::default()
    }
}

/// The one contradiction that a change makes: what is checked, how bad it is.
fn found(change: impl FnOnce(&mut Settings)) -> (&'static str, Status) {
    let mut settings = sound();
    change(&mut settings);
    let found = settings.contradictions();
    let [check] = found.as_slice() else { panic!("one contradiction, not {found:#?}") };
    assert!(check.status == Status::Ok || check.advice.is_some(), "{check:#?}");
    (check.check, check.status)
}

#[test]
fn settings_that_fit_each_other_are_said_to() {
    assert_eq!(found(|_| {}), ("settings", Status::Ok));
}

#[test]
fn what_could_not_be_read_contradicts_nothing() {
    assert_eq!(Settings::default().contradictions()[0].status, Status::Ok);
}

#[test]
fn a_message_has_to_be_hidden_for_six_times_the_functions_timeout() {
    assert_eq!(found(|settings| settings.visibility_timeout_s = Some(59.0)), ("visibility", Status::Warn));
    assert_eq!(found(|settings| settings.visibility_timeout_s = Some(9.0)), ("visibility", Status::Fail));
}

#[test]
fn a_message_has_to_be_held_for_longer_than_an_import_takes() {
    let hold = |seconds| {
        move |settings: &mut Settings| (settings.hold_s, settings.function_hold_s) = (seconds, seconds)
    };
    assert_eq!(found(hold(Some(36_000.0))), ("hold time", Status::Warn));
    assert_eq!(found(hold(Some(43_201.0))), ("hold time", Status::Fail));
    assert_eq!(found(|settings| settings.function_hold_s = Some(1.0)), ("hold time", Status::Warn));
}

#[test]
fn the_heartbeat_has_to_cover_three_beats_and_at_aws_the_containers_start() {
    assert_eq!(found(|settings| settings.heartbeat_s = Some(59.0)), ("heartbeat", Status::Warn));
    assert_eq!(found(|settings| settings.heartbeat_s = Some(20.0)), ("heartbeat", Status::Fail));
    let short = |settings: &mut Settings| {
        (settings.heartbeat_s, settings.heartbeat_interval_s, settings.is_at_aws) =
            (Some(30.0), Some(1.0), true);
    };
    assert_eq!(found(short), ("heartbeat", Status::Warn));
}

#[test]
fn the_stall_limit_lies_between_two_beats_and_the_time_limit() {
    assert_eq!(found(|settings| settings.stall_limit_s = Some(19.0)), ("stall limit", Status::Fail));
    assert_eq!(found(|settings| settings.stall_limit_s = Some(36_000.0)), ("stall limit", Status::Warn));
}

#[test]
fn the_lease_has_to_outlast_the_beats_and_the_heartbeat() {
    assert_eq!(found(|settings| settings.lease_s = Some(59.0)), ("lease", Status::Warn));
    let short = |settings: &mut Settings| {
        (settings.lease_s, settings.heartbeat_s) = (Some(39.0), None);
    };
    assert_eq!(found(short), ("lease", Status::Fail));
}

#[test]
fn the_queue_needs_a_redrive_policy_to_the_targets_dead_letters_with_five_receives() {
    assert_eq!(found(|settings| settings.redrive_target_arn = None), ("redrive policy", Status::Fail));
    let other = |settings: &mut Settings| settings.redrive_target_arn = Some("arn:other".to_owned());
    assert_eq!(found(other), ("redrive policy", Status::Fail));
    assert_eq!(found(|settings| settings.max_receive_count = Some(4.0)), ("receives", Status::Warn));
    assert_eq!(found(|settings| settings.dead_letter_retention_s = Some(60.0)), ("retention", Status::Warn));
}

#[test]
fn the_mapping_has_to_be_enabled_and_to_ask_for_single_failures() {
    assert_eq!(found(|settings| settings.reports_item_failures = Some(false)), ("mapping", Status::Fail));
    let disabled = |settings: &mut Settings| settings.mapping_state = Some("Disabled".to_owned());
    assert_eq!(found(disabled), ("mapping", Status::Fail));
    let at_rest = |settings: &mut Settings| {
        disabled(settings);
        settings.is_at_rest = true;
    };
    assert_eq!(found(at_rest), ("settings", Status::Ok));
    assert_eq!(found(|settings| settings.is_fifo = true), ("mapping", Status::Warn));
}

#[test]
fn function_and_worker_have_to_belong_to_the_target() {
    let other = || Some("other".to_owned());
    assert_eq!(found(|settings| settings.function_queue_url = other()), ("function", Status::Fail));
    assert_eq!(found(|settings| settings.function_import_machine = other()), ("function", Status::Fail));
    assert_eq!(found(|settings| settings.function_dead_letter_machine = other()), ("function", Status::Fail));
    assert_eq!(found(|settings| settings.worker_database = other()), ("database", Status::Warn));
}
