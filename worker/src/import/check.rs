//! From a raw row to a row: each field against its column. What comes out here is valid, and nobody checks it again.

use std::borrow::Cow;

use super::csv::{Quotes, RawRow, TooLarge};
use super::header::{Plan, SaidBy};
use super::reject::{Misfit, Reason, Reject};
use super::value::{Quoted, Value};

/// Why a row does not fit. What it says of the place is a number, so that a file of bad rows costs hardly more than one of
/// good rows: names and values are only copied for those rejects that are told of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Unfit {
    /// Which of the plan's columns the reason lies in; `None` where it lies in the row as a whole.
    pub(crate) column: Option<usize>,
    /// Why.
    pub(crate) misfit: Misfit,
}

impl Unfit {
    /// The reject that this is for `raw`, the row that was checked.
    pub(crate) fn reject(mut self, raw: &RawRow<'_>, plan: &Plan) -> Reject {
        // A field is UTF-8 here; which byte of the file it is that could not be made so, the row knows.
        if self.misfit.reason == Reason::Undecodable
            && let Some((offset, byte)) = raw.undecodable()
        {
            let says = format!("cannot be decoded: byte 0x{byte:02X} at offset {offset} of the file");
            self.misfit.says = says.into();
        }
        match self.column.and_then(|index| plan.columns.get(index)) {
            Some(column) => {
                let field = raw.fields.get(column.field).unwrap_or_default();
                Reject::of_value(raw.position, &column.name, field, self.misfit)
            }
            None => Reject::of_row(raw.position, self.misfit),
        }
    }
}

/// Fills `values` with a value for each column of the plan.
pub(crate) fn check<'a>(raw: &RawRow<'a>, plan: &Plan, values: &mut Vec<Value<'a>>) -> Result<(), Unfit> {
    let quotes = raw.quotes();
    if let Some(misfit) = misshapen(raw, quotes, plan) {
        return Err(Unfit { column: None, misfit });
    }
    let mut walk = raw.walk();
    for (index, column) in plan.columns.iter().enumerate() {
        let field = raw.fields.get(column.field).unwrap_or_default();
        let mut value = column.kind.read(field, &plan.rules);
        if matches!(value, Ok(Value::Null)) {
            let may_be_quoted = if field.is_empty() { quotes.empty } else { quotes.any };
            let is_quoted = may_be_quoted && walk.is_quoted(column.field);
            let quoted = if is_quoted { Quoted::Yes } else { Quoted::No };
            value = column.kind.absent(field, quoted, column.takes_empty, &plan.rules);
        }
        let misfit = match value {
            Ok(Value::Null) if !column.takes_null => required(field),
            Ok(value) => {
                values.push(value);
                continue;
            }
            Err(misfit) => misfit,
        };
        return Err(Unfit { column: Some(index), misfit });
    }
    Ok(())
}

fn required(field: &[u8]) -> Misfit {
    let says = if field.trim_ascii().is_empty() {
        "is empty, but the column must have a value"
    } else {
        "means NULL, but the column must have a value"
    };
    Misfit::new(Reason::Required, says)
}

/// What is wrong where a field goes on behind its closing quote, and how a quote is written within quotes.
fn behind_a_quote(escape: Option<char>) -> Cow<'static, str> {
    match escape {
        None => "has text behind a closing quote; a quote within a quoted field is written twice".into(),
        Some(escape) => format!(
            "has text behind a closing quote; a quote within a quoted field is written {escape}\", as the option escape says"
        )
        .into(),
    }
}

/// What is wrong with the number of a row's fields.
fn field_count(raw: &RawRow<'_>, plan: &Plan) -> String {
    let (has, expected) = (raw.fields.len(), plan.fields);
    let against = match plan.said_by {
        SaidBy::Header { nameless } => {
            let filled = raw.fields.iter().skip(expected).position(|field| !field.is_empty());
            if let Some(behind) = filled.filter(|behind| *behind < nameless) {
                let field = expected + behind + 1;
                return format!("has a value in field {field}, which has no name in the header");
            }
            format!("the header has {}", expected + nameless)
        }
        SaidBy::FirstRow => format!("the first row has {expected}"),
        SaidBy::Rejects { columns } => {
            format!(
                "and {expected} are the table's {columns} behind the line and the reason of a rejects file"
            )
        }
    };
    let plural = if has == 1 { "field" } else { "fields" };
    format!("has {has} {plural}, {against}")
}

/// What is wrong with a row before any of its values is looked at.
fn misshapen(raw: &RawRow<'_>, quotes: Quotes, plan: &Plan) -> Option<Misfit> {
    let mut misfit = if let Some(TooLarge { bytes, limit, .. }) = raw.too_large {
        let says = format!("has {bytes} bytes, more than the {limit} that max_record_bytes allows");
        Misfit::new(Reason::RecordTooLarge, says)
    } else if quotes.stray {
        Misfit::new(Reason::StrayQuote, behind_a_quote(raw.escape()))
    } else if quotes.indented {
        let says = "has a blank before an opening quote; write the quote directly behind the delimiter";
        Misfit::new(Reason::StrayQuote, says)
    } else if raw.fields.len() < plan.fields
        || raw.fields.iter().skip(plan.fields).any(|field| !field.is_empty())
    {
        Misfit::new(Reason::FieldCount, field_count(raw, plan))
    } else {
        return None;
    };
    if raw.lines() > 1 {
        let suspicion = format!("; it takes {} lines, is a quote misplaced?", raw.lines());
        misfit.says.to_mut().push_str(&suspicion);
    }
    Some(misfit)
}
