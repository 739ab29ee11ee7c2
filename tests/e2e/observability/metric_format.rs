//! The rules of CloudWatch's embedded metric format. Source: "Specification: Embedded metric format" and its JSON schema, Amazon
//! CloudWatch user guide; the units are those of `API_MetricDatum`.

use serde_json::{Value, json};

const UNITS: [&str; 27] = [
    "Seconds",
    "Microseconds",
    "Milliseconds",
    "Bytes",
    "Kilobytes",
    "Megabytes",
    "Gigabytes",
    "Terabytes",
    "Bits",
    "Kilobits",
    "Megabits",
    "Gigabits",
    "Terabits",
    "Percent",
    "Count",
    "Bytes/Second",
    "Kilobytes/Second",
    "Megabytes/Second",
    "Gigabytes/Second",
    "Terabytes/Second",
    "Bits/Second",
    "Kilobits/Second",
    "Megabits/Second",
    "Gigabits/Second",
    "Terabits/Second",
    "Count/Second",
    "None",
];

/// What of the rules a line breaks; the first that is found.
pub(super) fn broken_rule(line: &Value) -> Option<String> {
    check(line).err()
}

fn check(line: &Value) -> Result<(), String> {
    let rule = |holds: bool, rule: &str| if holds { Ok(()) } else { Err(rule.to_owned()) };
    let root = line.as_object().ok_or("the root is an object")?;
    let metadata = root.get("_aws").and_then(Value::as_object).ok_or("_aws is an object")?;
    rule(metadata.get("Timestamp").is_some_and(Value::is_u64), "Timestamp is an integer")?;
    rule(metadata.len() == 2, "_aws has no other members")?;
    let directives = metadata.get("CloudWatchMetrics").and_then(Value::as_array);
    for directive in directives.ok_or("CloudWatchMetrics is an array")? {
        let directive = directive.as_object().ok_or("a directive is an object")?;
        rule(directive.len() == 3, "a directive has three members")?;
        let namespace = directive.get("Namespace").and_then(Value::as_str).unwrap_or_default();
        rule((1..=1024).contains(&namespace.chars().count()), "Namespace has 1 to 1024 characters")?;
        let sets = directive.get("Dimensions").and_then(Value::as_array).ok_or("Dimensions is an array")?;
        rule(!sets.is_empty(), "there is one set of dimensions at least")?;
        for set in sets {
            let set = set.as_array().ok_or("a set of dimensions is an array")?;
            rule(set.len() <= 30, "a set has at most 30 dimensions")?;
            let is_target = |name: &Value| {
                let value = name.as_str().and_then(|name| root.get(name)).and_then(Value::as_str);
                value.is_some_and(|value| value.len() <= 1024)
            };
            rule(set.iter().all(is_target), "a dimension is a member of the root with a text")?;
        }
        let metrics = directive.get("Metrics").and_then(Value::as_array).ok_or("Metrics is an array")?;
        rule(metrics.len() <= 100, "there are at most 100 metrics")?;
        for metric in metrics {
            let metric = metric.as_object().ok_or("a metric is an object")?;
            let known = ["Name", "Unit", "StorageResolution"];
            rule(metric.keys().all(|key| known.contains(&key.as_str())), "a metric has known members")?;
            let name = metric.get("Name").and_then(Value::as_str).unwrap_or_default();
            rule((1..=1024).contains(&name.chars().count()), "Name has 1 to 1024 characters")?;
            rule(
                root.get(name).is_some_and(Value::is_number),
                "a metric is a member of the root with a number",
            )?;
            let unit = metric.get("Unit").map_or("None", |unit| unit.as_str().unwrap_or_default());
            rule(UNITS.contains(&unit), "Unit is one of CloudWatch's")?;
        }
    }
    // "EMF logs have the same limits as standard log events": far below them.
    rule(line.to_string().len() < 256 * 1024, "the line is small enough")
}

#[test]
fn a_line_that_breaks_a_rule_is_found_out() {
    let good = json!({"_aws": {"Timestamp": 1_574_109_732_004_u64, "CloudWatchMetrics": [{"Namespace": "lambda-function-metrics",
        "Dimensions": [["functionVersion"]], "Metrics": [{"Name": "time", "Unit": "Milliseconds"}]}]},
        "functionVersion": "$LATEST", "time": 100});
    assert_eq!(broken_rule(&good), None, "the example of the specification");
    for (place, value) in [
        ("/_aws", json!(null)),
        ("/_aws/Timestamp", json!("now")),
        ("/_aws/CloudWatchMetrics/0/Namespace", json!("")),
        ("/_aws/CloudWatchMetrics/0/Dimensions", json!([])),
        ("/_aws/CloudWatchMetrics/0/Dimensions/0", json!(["nothing"])),
        ("/_aws/CloudWatchMetrics/0/Dimensions/0", json!(["time"])),
        ("/_aws/CloudWatchMetrics/0/Metrics/0/Name", json!("nothing")),
        ("/_aws/CloudWatchMetrics/0/Metrics/0/Name", json!("functionVersion")),
        ("/_aws/CloudWatchMetrics/0/Metrics/0/Unit", json!("Rows")),
        ("/time", json!("100")),
    ] {
        let mut bad = good.clone();
        *bad.pointer_mut(place).unwrap() = value;
        assert!(broken_rule(&bad).is_some(), "{bad}");
    }
}
