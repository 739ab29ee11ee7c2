//! The form of an earlier import, to be changed and sent once more: its file is in S3 already.

use anyhow::Context as _;
use serde_json::Value;
use statemachine::{JobId, Source};

use super::object;
use crate::error::PageError;
use crate::fields::Fields;
use crate::state::Console;

/// The fields as the earlier import has them.
pub(super) async fn fields(console: &Console, id: &JobId) -> Result<Fields, PageError> {
    let wanted = id.clone();
    let row = console.database(move |connection| worker::imports::find(connection, &wanted)).await?;
    let row = row.ok_or_else(|| PageError::not_found(format!("There is no import {id}.")))?;
    let options: Value = serde_json::from_str(&row.options).context("the import's options are damaged")?;
    let mut fields = Fields::of_options(&row.table_name, &options);
    if let Some(source) = row.source.parse::<Source>().ok().filter(|source| object::is_of_upload(&source.key))
    {
        fields.push("object", source.key);
    }
    Ok(fields)
}
