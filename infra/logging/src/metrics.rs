//! CloudWatch's embedded metric format: a line of the log that tells which of its own fields are metrics.
//! Source: "Specification: Embedded metric format", Amazon CloudWatch user guide.

use std::str::FromStr;

use serde_json::{Map, Value, json};

/// The target of an event whose numbers are metrics.
pub const METRICS: &str = "baton::metrics";

/// The namespace that metrics are published in: 1 to 255 of the characters that CloudWatch takes, and none of AWS's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Namespace(String);

/// The text is no namespace for metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "must have 1 to 255 letters, digits, spaces or `.-_/#:`, not a colon first, and not begin with `AWS/`"
)]
pub struct InvalidNamespace;

impl FromStr for Namespace {
    type Err = InvalidNamespace;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b".-_/#: ".contains(&byte);
        let is_fit = (1..=255).contains(&text.len())
            && text.bytes().all(is_allowed)
            && !text.starts_with([':', ' '])
            && !text.starts_with("AWS/");
        if is_fit { Ok(Self(text.to_owned())) } else { Err(InvalidNamespace) }
    }
}

impl Namespace {
    /// The metadata that makes metrics of the numbers among these fields; none where there are no numbers.
    pub(crate) fn metadata(&self, fields: &Map<String, Value>, since_epoch_ms: u128) -> Option<Value> {
        let numbers = fields.iter().filter(|(_, value)| value.is_number());
        let metrics: Vec<_> = numbers.map(|(name, _)| json!({"Name": name, "Unit": unit(name)})).collect();
        if metrics.is_empty() {
            return None;
        }
        Some(json!({
            "Timestamp": u64::try_from(since_epoch_ms).unwrap_or(u64::MAX),
            "CloudWatchMetrics": [{"Namespace": self.0, "Dimensions": [[]], "Metrics": metrics}],
        }))
    }
}

fn unit(name: &str) -> &'static str {
    match name {
        "bytes" => "Bytes",
        _ if name.ends_with("_seconds") => "Seconds",
        _ => "Count",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_is_a_metric_with_the_unit_of_its_name() {
        let fields =
            json!({"rows": 3, "bytes": 40, "load_seconds": 0.25, "table": "people", "dry_run": false});
        let namespace: Namespace = "Baton/imports".parse().unwrap();
        let metadata = namespace.metadata(fields.as_object().unwrap(), 1_795_512_730_807).unwrap();
        let metrics = json!([{"Name": "rows", "Unit": "Count"}, {"Name": "bytes", "Unit": "Bytes"},
            {"Name": "load_seconds", "Unit": "Seconds"}]);
        assert_eq!(
            metadata,
            json!({"Timestamp": 1_795_512_730_807_u64, "CloudWatchMetrics":
                [{"Namespace": "Baton/imports", "Dimensions": [[]], "Metrics": metrics}]})
        );
        assert_eq!(namespace.metadata(&Map::new(), 1), None);
    }

    #[test]
    fn a_namespace_is_one_that_cloudwatch_takes() {
        for good in ["a", "Baton/my-stack", "a b:c#d_e.f"] {
            assert!(good.parse::<Namespace>().is_ok(), "{good}");
        }
        for bad in ["", ":a", " ", "AWS/States", "a\"b", "a\nb", "名", &"x".repeat(256)] {
            assert_eq!(bad.parse::<Namespace>(), Err(InvalidNamespace), "{bad}");
        }
    }
}
