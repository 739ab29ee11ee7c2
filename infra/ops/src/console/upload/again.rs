//! The form of an earlier import, to be changed and sent once more: its file is in S3 already.

use anyhow::Context as _;
use serde_json::Value;
use statemachine::{ImportId, Source};

use super::object;
use crate::console::Console;
use crate::console::error::PageError;
use crate::console::fields::Fields;

/// The fields as the earlier import has them.
pub(super) async fn fields(console: &Console, id: &ImportId) -> Result<Fields, PageError> {
    let wanted = id.clone();
    let row = console.database(move |connection| worker::imports::find(connection, &wanted)).await?;
    let row = row.ok_or_else(|| PageError::not_found(format!("There is no import {id}.")))?;
    let options: Value = serde_json::from_str(&row.options).context("the import's options are damaged")?;
    let mut fields = Fields::default();
    fields.push("table", row.table_name);
    for (name, value) in options.as_object().into_iter().flatten() {
        fields.push(name, as_field(value));
    }
    if let Some(source) = row.source.parse::<Source>().ok().filter(|source| object::is_of_upload(&source.key))
    {
        fields.push("object", source.key);
    }
    Ok(fields)
}

/// An option of the contract as a field has it.
fn as_field(value: &Value) -> String {
    match value {
        Value::Bool(true) => "on".to_owned(),
        Value::Bool(false) | Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        Value::Array(values) => values.iter().map(as_field).collect::<Vec<_>>().join(","),
        Value::Object(pairs) => {
            let lines: Vec<_> =
                pairs.iter().map(|(name, value)| format!("{name}={}", as_field(value))).collect();
            lines.join("\n")
        }
    }
}

#[cfg(test)]
mod tests {
    use statemachine::ImportOptions;

    use super::super::arguments;
    use super::*;

    #[test]
    fn options_come_back_from_the_form_as_they_went_into_it() {
        let json = r#"{"max_rejects":"0.5%","ignore_unknown":true,"encoding":"cp932","delimiter":"tab","escape":"\\",
            "map":{"E=Mail":"email","氏名":"name"},"null":"\\N","empty":"text","date_format":"%d.%m.%Y","on_conflict":"update",
            "key":["id","name"],"limit":10,"max_record_bytes":1048576,"once":true}"#;
        let options: ImportOptions = serde_json::from_str(json).unwrap();
        let mut fields = Fields::default();
        fields.push("table", "people".to_owned());
        for (name, value) in serde_json::to_value(&options).unwrap().as_object().unwrap() {
            fields.push(name, as_field(value));
        }
        let read = arguments::read(&fields).unwrap_or_else(|problems| panic!("{problems:?}"));
        assert_eq!(read.options, options);
    }
}
