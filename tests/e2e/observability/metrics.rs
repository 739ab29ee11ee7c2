//! What Lambda and worker measure, as CloudWatch takes it from their lines.

use std::collections::BTreeSet;

use e2e::{Backend, TestStack};
use serde_json::{Value, json};
use statemachine::{ImportResult, Report};

use super::metric_format::broken_rule;
use super::{Lines, story};
use crate::template::dashboard_metrics;
use crate::workspace::top;

/// The names of the metrics that a line has.
fn names(line: &Value) -> BTreeSet<&str> {
    let [directive] = &line["_aws"]["CloudWatchMetrics"].as_array().unwrap()[..] else { panic!("{line}") };
    assert_eq!(directive["Namespace"], "Baton/local");
    assert_eq!(directive["Dimensions"], json!([[]]), "each dimension has its price");
    directive["Metrics"].as_array().unwrap().iter().map(|metric| metric["Name"].as_str().unwrap()).collect()
}

/// The fields that the queries of the page for AWS ask for.
fn asked_on_the_page() -> BTreeSet<String> {
    const WORDS: [&str; 9] = ["fields", "filter", "sort", "stats", "sum", "avg", "by", "desc", "asc"];
    let page = std::fs::read_to_string(top().join("infra/aws/README.md")).unwrap();
    let queries = page.split("insights '").skip(1).map(|rest| rest.split_once('\'').unwrap().0);
    let words = queries.flat_map(|query| {
        // What stands in quotes is a value, not a field.
        let outside: String = query.split('"').step_by(2).collect();
        let words = outside.split(|sign: char| !(sign.is_ascii_alphabetic() || "_@".contains(sign)));
        words.map(str::to_owned).collect::<Vec<_>>()
    });
    words
        .filter(|word| !word.is_empty() && !word.starts_with('@') && !WORDS.contains(&word.as_str()))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_dashboard_shows_the_metrics_that_lambda_and_worker_write_and_each_line_keeps_the_format() {
    let stack = TestStack::start(Backend::Sqlite).await;
    let (_, killed) = story(&stack).await;
    let execution = stack.ended(&killed.execution_arn).await;
    let report: Report<ImportResult> = serde_json::from_str(execution.output.as_deref().unwrap()).unwrap();
    let function = Lines::of_the_function(&stack);
    let workers = Lines::of_the_workers(&stack).await;
    let of_workers: Vec<_> = workers.iter().flat_map(Lines::metrics).collect();
    let of_function: Vec<_> = function.metrics().collect();
    let all = || of_workers.iter().chain(&of_function);
    for line in all() {
        assert_eq!(broken_rule(line), None, "{line}");
    }
    let shown = dashboard_metrics();
    let shown = shown.iter().map(String::as_str).collect();
    assert_eq!(all().flat_map(|line| names(line)).collect::<BTreeSet<_>>(), shown);

    // The worker that was killed has said nothing, and the one after it tells what it did.
    let ended: Vec<_> = of_workers.iter().map(|line| (&line["outcome"], &line["imported"])).collect();
    let (failure, success) = ((json!("Import.TableMissing"), json!(0)), (json!("IMPORTED"), json!(1)));
    assert!(
        ended.contains(&(&failure.0, &failure.1)) && ended.contains(&(&success.0, &success.1)),
        "{ended:?}"
    );
    assert_eq!(ended.len(), 2, "{ended:?}");
    let imported = of_workers.iter().find(|line| line["imported"] == 1).unwrap();
    assert_eq!(imported["rows"], report.result.rows);
    assert_eq!(
        (&imported["rejects"], &imported["bytes"]),
        (&json!(report.result.rejects), &json!(report.result.bytes))
    );
    assert_eq!((&imported["attempts"], &imported["table"]), (&json!(2), &json!("people")));
    let stages = ["open", "read", "load", "settle", "commit"].map(|stage| format!("{stage}_seconds"));
    let spent: f64 = stages.iter().map(|stage| imported[stage].as_f64().unwrap()).sum();
    // To the millisecond, each of the five; the report's clock stops before the commit.
    let elapsed = f64::from(u32::try_from(report.elapsed_ms).unwrap()) / 1000.0;
    assert!(spent > elapsed - 0.010 && imported["load_seconds"].as_f64() > Some(0.0), "{imported} {elapsed}");

    let sum = |name: &str| of_function.iter().filter_map(|line| line[name].as_u64()).sum::<u64>();
    assert_eq!(["started", "held", "acknowledged", "left"].map(sum), [2, 0, 0, 0]);
    let lines = workers.iter().flat_map(|lines| &lines.0).chain(&function.0);
    let written: BTreeSet<_> = lines.flat_map(|line| line.as_object().unwrap().keys()).collect();
    let asked = asked_on_the_page();
    assert!(asked.len() > 6, "{asked:?}");
    let unknown: Vec<_> = asked.iter().filter(|field| !written.contains(field)).collect();
    assert!(unknown.is_empty(), "the page asks for {unknown:?}, which no line has");
    stack.audit().await;
}
