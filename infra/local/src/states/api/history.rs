//! `GetExecutionHistory`.

use std::collections::HashMap;
use std::fmt;

use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value, json};

use super::executions::unknown;
use super::{invalid_page, page_size, put};
use crate::states::States;
use crate::states::repository::EventRow;
use crate::states::time::Timestamp;
use crate::wire::{AwsError, parse};

/// The fields of an event's details that carry an execution's data.
const DATA: [&str; 6] =
    ["input", "inputDetails", "output", "outputDetails", "assignedVariables", "assignedVariablesDetails"];

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct GetHistory {
    execution_arn: String,
    max_results: Option<i64>,
    next_token: Option<String>,
    reverse_order: Option<bool>,
    include_execution_data: Option<bool>,
}

impl States {
    pub(super) fn get_execution_history(&self, body: Value) -> Result<Value, AwsError> {
        let request: GetHistory = parse("GetExecutionHistory", body)?;
        self.check_execution_arn(&request.execution_arn)?;
        let limit = page_size(request.max_results)?;
        let after = match &request.next_token {
            Some(token) => Some(token.parse().map_err(|_| invalid_page())?),
            None => None,
        };
        let reverse = request.reverse_order.unwrap_or(false);
        let rows = self.repository.history(&request.execution_arn, after, reverse, limit + 1)?;
        let mut rows = rows.ok_or_else(|| unknown(&request.execution_arn))?;
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let has_more = rows.len() > limit;
        rows.truncate(limit);
        let last = rows.last().filter(|_| has_more).map(|row| row.id.to_string());
        let include_data = request.include_execution_data.unwrap_or(true);
        let events = rows.iter().map(|row| event(row, include_data)).collect::<Result<Vec<_>, _>>()?;
        let mut answer = json!({"events": events});
        put(&mut answer, "nextToken", last);
        Ok(answer)
    }
}

fn event(row: &EventRow, include_data: bool) -> Result<Value, AwsError> {
    let details: Map<String, Value> = if include_data {
        serde_json::from_str(&row.details).map_err(AwsError::internal)?
    } else {
        let details: HashMap<String, WithoutData> =
            serde_json::from_str(&row.details).map_err(AwsError::internal)?;
        details.into_iter().map(|(field, WithoutData(details))| (field, Value::Object(details))).collect()
    };
    let mut event = json!({
        "timestamp": Timestamp::from_millis(row.at_ms).to_wire(),
        "type": row.event_type,
        "id": row.id,
        "previousEventId": row.previous_id,
    });
    for (field, value) in details {
        event[field] = value;
    }
    Ok(event)
}

/// Details without the execution's data, which is passed over rather than read: it is most of what a long history has.
struct WithoutData(Map<String, Value>);

impl<'de> Deserialize<'de> for WithoutData {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Fields;
        impl<'de> Visitor<'de> for Fields {
            type Value = WithoutData;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("the details of an event")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut kept = Map::new();
                while let Some(field) = map.next_key::<String>()? {
                    if DATA.contains(&field.as_str()) {
                        map.next_value::<IgnoredAny>()?;
                    } else if field == "parameters" {
                        // The model asks for this field: it stays, empty.
                        map.next_value::<IgnoredAny>()?;
                        kept.insert(field, "".into());
                    } else {
                        kept.insert(field, map.next_value()?);
                    }
                }
                Ok(WithoutData(kept))
            }
        }
        deserializer.deserialize_map(Fields)
    }
}
