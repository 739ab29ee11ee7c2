//! CloudWatch Logs, over files as ECS has them written.
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::fs::{self, File};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use local_stack::logs::Logs;
use serde_json::{Value, json};
use tempfile::TempDir;

const GROUP: &str = "/ecs/import-worker";
const ONE: &str = "0000000000000000000000000000000a";
const TWO: &str = "0000000000000000000000000000000b";

fn logs() -> (TempDir, Arc<Logs>) {
    let dir = tempfile::tempdir().unwrap();
    let logs = Logs::new(dir.path().to_owned(), "ap-northeast-1", "123456789012", GROUP, "worker/worker");
    // The function's lines are no stream of this group.
    fs::write(dir.path().join("start-import.log"), "function\n").unwrap();
    (dir, logs)
}

/// A task's file with a line at each of these seconds of a certain minute.
fn write(dir: &Path, id: &str, seconds: impl IntoIterator<Item = u32>) {
    let line = |second| {
        format!(
            "{}\n",
            json!({"timestamp": format!("2026-11-24T12:00:{second:02}Z"), "message": format!("{id} {second}")})
        )
    };
    fs::write(dir.join(format!("{id}.log")), seconds.into_iter().map(line).collect::<String>()).unwrap();
}

fn stream(id: &str) -> String {
    format!("worker/worker/{id}")
}

async fn call(logs: &Arc<Logs>, operation: &str, body: Value) -> Value {
    logs.call(operation.to_owned(), body).await.unwrap()
}

async fn refusal(logs: &Arc<Logs>, operation: &str, body: Value) -> (String, String) {
    let error = logs.call(operation.to_owned(), body).await.unwrap_err();
    (error.code, error.message)
}

/// The numbers of seconds in the messages of an answer.
fn seconds(answer: &Value) -> Vec<u32> {
    let events = answer["events"].as_array().unwrap().iter();
    let message = |event: &Value| serde_json::from_str::<Value>(event["message"].as_str().unwrap()).unwrap();
    let second =
        |event| message(event)["message"].as_str().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    events.map(second).collect()
}

fn at(second: u32) -> i64 {
    chrono::DateTime::parse_from_rfc3339(&format!("2026-11-24T12:00:{second:02}Z"))
        .unwrap()
        .timestamp_millis()
}

#[tokio::test]
async fn a_stream_is_read_forwards_and_backwards_to_its_ends() {
    let (dir, logs) = logs();
    write(dir.path(), ONE, 0..10);
    let get = async |more: Value| {
        let mut body = json!({"logGroupName": GROUP, "logStreamName": stream(ONE)});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        call(&logs, "GetLogEvents", body).await
    };
    let all = get(json!({})).await;
    assert_eq!(seconds(&all), (0..10).collect::<Vec<_>>());
    assert_eq!(all["events"][3]["timestamp"], at(3));

    let last = get(json!({"limit": 3})).await;
    assert_eq!(seconds(&last), [7, 8, 9]);
    let before = get(json!({"limit": 5, "nextToken": last["nextBackwardToken"]})).await;
    assert_eq!(seconds(&before), [2, 3, 4, 5, 6]);
    let first = get(json!({"limit": 5, "nextToken": before["nextBackwardToken"]})).await;
    assert_eq!(seconds(&first), [0, 1]);
    let none = get(json!({"nextToken": first["nextBackwardToken"]})).await;
    assert_eq!(seconds(&none), [0; 0]);
    assert_eq!(none["nextBackwardToken"], first["nextBackwardToken"], "the same token: there is no more");

    let head = get(json!({"limit": 4, "startFromHead": true})).await;
    assert_eq!(seconds(&head), [0, 1, 2, 3]);
    let rest = get(json!({"startFromHead": true, "nextToken": head["nextForwardToken"]})).await;
    assert_eq!(seconds(&rest), [4, 5, 6, 7, 8, 9]);
    let back = get(json!({"nextToken": rest["nextBackwardToken"]})).await;
    assert_eq!(seconds(&back), [0, 1, 2, 3], "and back again");

    // At the end the token stays the same, and leads on to what is written later.
    let end = get(json!({"nextToken": rest["nextForwardToken"]})).await;
    assert_eq!((seconds(&end).len(), &end["nextForwardToken"]), (0, &rest["nextForwardToken"]));
    write(dir.path(), ONE, 0..12);
    assert_eq!(seconds(&get(json!({"nextToken": end["nextForwardToken"]})).await), [10, 11]);
    assert_eq!(last["nextForwardToken"], end["nextForwardToken"], "whoever has the last goes on from there");

    let span = json!({"startTime": at(3), "endTime": at(6)});
    assert_eq!(seconds(&get(span).await), [3, 4, 5], "the end is not in it");
}

#[tokio::test]
async fn a_file_of_many_windows_is_read_whole_a_page_at_a_time() {
    let (dir, logs) = logs();
    let lines = 30_000;
    let text: String = (0..lines).map(|line| format!("{line:0100}\n")).collect();
    fs::write(dir.path().join(format!("{ONE}.log")), text).unwrap();
    let (mut read, mut token, mut pages) = (Vec::new(), Value::Null, 0);
    loop {
        let mut body = json!({"logGroupName": GROUP, "logStreamName": stream(ONE), "startFromHead": true});
        if token.is_string() {
            body["nextToken"] = token.clone();
        }
        let answer = call(&logs, "GetLogEvents", body).await;
        let events = answer["events"].as_array().unwrap();
        read.extend(events.iter().map(|event| event["message"].as_str().unwrap().parse::<usize>().unwrap()));
        if answer["nextForwardToken"] == token {
            break;
        }
        token = answer["nextForwardToken"].clone();
        pages += 1;
    }
    assert_eq!(read, (0..lines).collect::<Vec<_>>());
    assert!(pages >= 3, "{pages}: of 3 MB an answer has at most 1 MiB");
}

#[tokio::test]
async fn the_streams_of_all_tasks_are_merged_by_time() {
    let (dir, logs) = logs();
    write(dir.path(), ONE, (0..40).step_by(2));
    write(dir.path(), TWO, (1..40).step_by(2));
    let filter = async |more: Value| {
        let mut body = json!({"logGroupIdentifier": GROUP});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        call(&logs, "FilterLogEvents", body).await
    };
    // The files are made after the times that are in them: they are opened one after the other only where the first one's
    // lines are older than the second's file.
    for id in [ONE, TWO] {
        let file = File::options().write(true).open(dir.path().join(format!("{id}.log"))).unwrap();
        file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_millis(at(0).unsigned_abs())).unwrap();
    }
    let all = filter(json!({})).await;
    assert_eq!(seconds(&all), (0..40).collect::<Vec<_>>());
    assert_eq!(all.get("nextToken"), None);
    let mut ids: Vec<_> =
        all["events"].as_array().unwrap().iter().map(|event| event["eventId"].clone()).collect();
    ids.sort_by_key(Value::to_string);
    ids.dedup();
    assert_eq!(ids.len(), 40);

    let (mut paged, mut token) = (Vec::new(), None);
    loop {
        let more = token.map_or(json!({"limit": 7}), |token| json!({"limit": 7, "nextToken": token}));
        let answer = filter(more).await;
        paged.extend(answer["events"].as_array().unwrap().clone());
        token = answer.get("nextToken").cloned();
        if token.is_none() {
            break;
        }
    }
    assert_eq!(paged, *all["events"].as_array().unwrap());

    let one = filter(json!({"logStreamNames": [stream(ONE)], "endTime": at(6), "interleaved": true})).await;
    assert_eq!(seconds(&one), [0, 2, 4]);
    let prefix = filter(json!({"logStreamNamePrefix": stream(&TWO[..32]), "limit": 2})).await;
    assert_eq!(seconds(&prefix), [1, 3]);
    assert_eq!(seconds(&filter(json!({"startTime": at(38)})).await), [0; 0], "the files are older than that");
}

#[tokio::test]
async fn groups_and_streams_are_described_page_by_page() {
    let (dir, logs) = logs();
    for number in 0..3_u32 {
        write(dir.path(), &format!("{number:032}"), [number, number + 10]);
    }
    fs::write(dir.path().join(format!("{ONE}.log")), "").unwrap();
    let groups = call(&logs, "DescribeLogGroups", json!({"logGroupNamePrefix": "/ecs"})).await;
    assert_eq!(groups["logGroups"][0]["logGroupName"], GROUP);
    assert_eq!(groups["logGroups"][0]["retentionInDays"], 14);
    let none = call(&logs, "DescribeLogGroups", json!({"logGroupNamePrefix": "/aws"})).await;
    assert_eq!(none, json!({"logGroups": []}));

    let mut names = Vec::new();
    let mut body = json!({"logGroupName": GROUP, "limit": 3});
    loop {
        let page = call(&logs, "DescribeLogStreams", body.clone()).await;
        names.extend(page["logStreams"].as_array().unwrap().clone());
        let Some(token) = page.get("nextToken") else { break };
        body["nextToken"] = token.clone();
    }
    assert_eq!(names.len(), 4);
    assert_eq!(names[1]["logStreamName"], stream(&format!("{:032}", 1)));
    assert_eq!(
        (&names[1]["firstEventTimestamp"], &names[1]["lastEventTimestamp"]),
        (&at(1).into(), &at(11).into())
    );
    assert_eq!(names[3].get("firstEventTimestamp"), None, "nothing was written");
    let newest = json!({"logGroupName": GROUP, "orderBy": "LastEventTime", "descending": true, "limit": 1});
    let newest = call(&logs, "DescribeLogStreams", newest).await;
    assert_eq!(newest["logStreams"][0]["logStreamName"], stream(ONE));
}

#[tokio::test]
async fn what_is_not_there_or_not_implemented_is_refused_as_cloudwatch_logs_does() {
    let (dir, logs) = logs();
    write(dir.path(), ONE, [1]);
    let get = |group: &str, name: &str| json!({"logGroupName": group, "logStreamName": name});
    for name in
        ["worker/worker/../start-import", "worker/worker/start-import", ONE, &stream(TWO), &stream("ABC")]
    {
        let (code, message) = refusal(&logs, "GetLogEvents", get(GROUP, name)).await;
        assert_eq!(code, "ResourceNotFoundException");
        assert_eq!(message, "The specified log stream does not exist.");
    }
    let (_, message) = refusal(&logs, "GetLogEvents", get("/aws/lambda/start-import", &stream(ONE))).await;
    assert_eq!(message, "The specified log group does not exist.");
    for token in ["f/1", "x/1/s", "f/-1/s", "f//s"] {
        let mut body = get(GROUP, &stream(ONE));
        body["nextToken"] = token.into();
        assert_eq!(refusal(&logs, "GetLogEvents", body).await.0, "InvalidParameterException", "{token}");
    }
    for (field, value) in
        [("nextToken", json!("e30x")), ("filterPattern", json!("ERROR")), ("limit", json!(0))]
    {
        let mut body = json!({"logGroupName": GROUP});
        body[field] = value;
        assert_eq!(refusal(&logs, "FilterLogEvents", body).await.0, "InvalidParameterException", "{field}");
    }
    let (_, message) = refusal(&logs, "GetLogEvents", json!({"logStreamName": "a", "unmask": true})).await;
    assert!(message.contains("unknown field `unmask`"), "{message}");
    assert_eq!(refusal(&logs, "PutLogEvents", json!({})).await.0, "UnknownOperationException");
}

#[tokio::test]
async fn streams_are_deleted_two_weeks_after_their_last_line() {
    let (dir, logs) = logs();
    let days_ago = |days: u64| SystemTime::now() - Duration::from_secs(days * 24 * 60 * 60);
    for (id, days) in [(ONE, 15), (TWO, 13)] {
        write(dir.path(), id, [1]);
        let file = File::options().write(true).open(dir.path().join(format!("{id}.log"))).unwrap();
        file.set_modified(days_ago(days)).unwrap();
    }
    let function = File::options().write(true).open(dir.path().join("start-import.log")).unwrap();
    function.set_modified(days_ago(15)).unwrap();
    logs.prune().unwrap();
    let exists = |id: &str| dir.path().join(format!("{id}.log")).exists();
    assert_eq!([exists(ONE), exists(TWO), exists("start-import")], [false, true, true]);
}
