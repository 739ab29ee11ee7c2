//! From a raw row to a row: each field against its column. What comes out here is valid, and nobody checks it again.

use super::csv::RawRow;
use super::header::Plan;
use super::reject::{Misfit, Reason};
use super::value::Value;

pub(crate) struct Unfit {
    pub(crate) column: Option<usize>,
    pub(crate) misfit: Misfit,
}
/// Fills `values` with a value for each column of the plan.
pub(crate) fn check<'a>(raw: &RawRow<'a>, plan: &Plan, values: &mut Vec<Value<'a>>) -> Result<(), Unfit> {
    if let Some(misfit) = misshapen(raw, plan) {
        return Err(Unfit { column: None, misfit });
    }
    for (index, column) in plan.columns.iter().enumerate() {
        let field = raw.fields.get(column.field).unwrap_or_default();
        let value = match column.kind.parse(field) {
            Ok(Value::Null) if !column.nullable => {
                Err(Misfit::new(Reason::Required, "is empty, but the column must have a value"))
            }
            other => other,
        };
        values.push(value.map_err(|misfit| Unfit { column: Some(index), misfit })?);
    }
    Ok(())
}

/// What is wrong with a row before any of its values is looked at.
fn misshapen(raw: &RawRow<'_>, plan: &Plan) -> Option<Misfit> {
    let mut misfit = if raw.has_stray_quote() {
        let says = "goes on behind a closing quote; a quote within a quoted field is written twice";
        Misfit::new(Reason::StrayQuote, says)
    } else if raw.fields.len() != plan.fields {
        let (has, expected) = (raw.fields.len(), plan.fields);
        let plural = if has == 1 { "field" } else { "fields" };
        Misfit::new(Reason::FieldCount, format!("has {has} {plural}, the header has {expected}"))
    } else {
        return None;
    };
    if raw.lines() > 1 {
        misfit.says.push_str(&format!("; it takes {} lines, is a quote misplaced?", raw.lines()));
    }
    Some(misfit)
}
