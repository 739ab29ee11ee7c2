use super::*;

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_000_000 + seconds, 0).unwrap()
}

fn claimed(attempt: i32, execution: &str, seconds: i64, ended_as: Ended) -> AttemptRow {
    let finished_at = (ended_as != Ended::NotYet).then(|| at(seconds + 5).naive_utc());
    AttemptRow {
        attempt,
        execution_arn: execution.to_owned(),
        worker: format!("arn:aws:ecs:r:1:task/default/t{attempt}"),
        started_at: at(seconds).naive_utc(),
        finished_at,
        ended_as,
        cause: None,
        rows_done: 7,
        rejects: 0,
        bytes_done: 9,
        version: None,
    }
}

fn tried(seconds: i64, ended: Option<i64>, error: Option<&str>) -> Try {
    Try {
        state: "RunImport".to_owned(),
        scheduled_at: at(seconds),
        ended_at: ended.map(at),
        error: error.map(str::to_owned),
        cause: error.map(|_| "why".to_owned()),
        task_arn: None,
    }
}

fn told(tries: &[Try], attempts: &[AttemptRow]) -> Vec<(Option<i32>, Option<String>)> {
    let lines = lines("e", tries.iter().collect(), attempts);
    lines.into_iter().map(|line| (line.number, line.ended_as)).collect()
}

#[test]
fn an_attempt_and_the_try_that_it_was_claimed_in_are_one_line_and_the_latest_comes_first() {
    let tries = [
        tried(0, Some(9), Some("States.TaskFailed")),
        // A container that ended before it could claim the import.
        tried(20, Some(25), Some("States.TaskFailed")),
        tried(30, None, None),
    ];
    let attempts = [claimed(1, "e", 2, Ended::Replaced), claimed(2, "e", 31, Ended::NotYet)];
    let failed = Some("States.TaskFailed".to_owned());
    assert_eq!(told(&tries, &attempts), [(Some(2), None), (None, failed.clone()), (Some(1), failed)]);
}

#[test]
fn what_the_worker_said_of_its_end_goes_before_what_the_history_says() {
    let attempts = [claimed(1, "e", 2, Ended::Failure("Import.TableMissing".to_owned()))];
    let told = told(&[tried(0, Some(9), Some("States.Timeout"))], &attempts);
    assert_eq!(told, [(Some(1), Some("Import.TableMissing".to_owned()))]);
}

#[test]
fn attempts_of_another_execution_are_not_taken_for_tries_of_this_one() {
    let attempts = [claimed(1, "other", 2, Ended::Success)];
    let told = told(&[tried(0, Some(9), None)], &attempts);
    assert_eq!(told, [(Some(1), Some("SUCCESS".to_owned())), (None, Some("SUCCESS".to_owned()))]);
}
