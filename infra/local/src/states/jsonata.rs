//! JSONata as Step Functions evaluates it: `{% … %}` strings, `$states` and variables as `$name`, Step Functions' own
//! functions, no `$eval`, a limit on time and depth. An error names the field and the expression, never a value.
//!
//! The engine's values are not `Send`: a [`Session`] lives and dies inside one synchronous call.

mod functions;
mod references;
mod template;

use std::panic::{AssertUnwindSafe, catch_unwind};

use jsonata_core::ast::AstNode;
use jsonata_core::evaluator::{Context, Evaluator, EvaluatorOptions};
use jsonata_core::parser;
use jsonata_core::value::{JValue, with_stack};
use serde_json::{Map, Number, Value};

pub use self::references::Place;
pub use self::template::Template;
use super::chance::Chance;
use super::limits::cut;
use super::time::Timestamp;

/// How long one expression may take, in milliseconds ("Transforming data with JSONata", Step Functions developer guide).
const TIME_LIMIT_MS: u64 = 1000;

/// How deep an expression may recurse, in levels of the evaluator.
const STACK_LIMIT: usize = 1000;

/// How many items an expression may gather: a guard of memory.
const SEQUENCE_LIMIT: usize = 1_000_000;

/// How much of an expression that is none is repeated, in characters.
const MAX_QUOTED_CHARS: usize = 300;

/// How deep a value may be nested. JSON is read back to a depth of 128, envelope included.
pub(crate) const DEPTH_LIMIT: usize = 100;

/// A JSONata expression that parses, at a known place of a definition.
#[derive(Clone, Debug)]
pub struct Expression {
    source: String,
    field: String,
    ast: AstNode,
}

/// An expression that gave no value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{cause}")]
pub struct EvaluationError {
    /// The field, such as `Arguments/QueueUrl`.
    pub location: String,
    /// A sentence that names field and expression.
    pub cause: String,
}

impl Expression {
    /// Parses what stands between `{%` and `%}` in `field`.
    ///
    /// # Errors
    /// A sentence: the expression is no JSONata, calls `$eval`, or uses a part of `$states` that `place` has not.
    pub fn parse(field: &str, source: &str, place: Place) -> Result<Self, String> {
        let source = source.trim();
        let ast = parser::parse(source).map_err(|error| {
            let source = cut(source, MAX_QUOTED_CHARS);
            format!("field {field}: {source:?} is not JSONata: {error}")
        })?;
        references::check(&ast, place).map_err(|problem| format!("field {field}: {problem}"))?;
        Ok(Self { source: source.to_owned(), field: field.to_owned(), ast })
    }

    /// The error of this expression, said of it: `returned nothing`.
    pub(crate) fn error(&self, what: &str) -> EvaluationError {
        let cause = format!(
            "The JSONata expression '{}' specified for the field '{}' {what}.",
            self.source, self.field
        );
        EvaluationError { location: self.field.clone(), cause }
    }
}

/// The expression's text in a string of a definition: `{% text %}`. `Ok(None)` where the string is plain text.
pub(crate) fn source_of(text: &str) -> Result<Option<&str>, String> {
    match (text.starts_with("{%"), text.ends_with("%}") && text.len() >= 4) {
        (true, true) => Ok(Some(&text[2..text.len() - 2])),
        (false, false) => Ok(None),
        _ => Err(format!("{text:?} opens or closes an expression but not both: {{% … %}}")),
    }
}

/// An evaluator with `$states` and the variables bound.
pub(crate) struct Session {
    evaluator: Evaluator,
}

impl Session {
    pub(crate) fn new(
        states: Value,
        variables: &Map<String, Value>,
        now: Timestamp,
        chance: &mut Chance,
    ) -> Self {
        let mut context = Context::new();
        for (name, value) in variables {
            context.bind(name.clone(), JValue::from(value.clone()));
        }
        context.bind("states".to_owned(), JValue::from(states));
        let options = EvaluatorOptions {
            timeout_ms: Some(TIME_LIMIT_MS),
            max_stack_depth: Some(STACK_LIMIT),
            max_sequence_length: Some(SEQUENCE_LIMIT),
            ..EvaluatorOptions::default()
        };
        let mut evaluator = Evaluator::with_options(context, options);
        functions::register(&mut evaluator, now, chance.fork());
        Self { evaluator }
    }

    /// The value of an expression.
    pub(crate) fn evaluate(&mut self, expression: &Expression) -> Result<Value, EvaluationError> {
        let evaluator = &mut self.evaluator;
        // The engine is not ours: a panic in it is a failed expression, not a dead stack.
        let outcome =
            catch_unwind(AssertUnwindSafe(|| evaluator.evaluate(&expression.ast, &JValue::Undefined)));
        match outcome {
            Ok(Ok(value)) if value.is_undefined() => Err(expression.error("returned nothing (undefined)")),
            Ok(Ok(value)) => to_json(&value, 0).map_err(|what| expression.error(what)),
            // The message of an error may quote values; its code does not.
            Ok(Err(error)) => Err(expression.error(&match error.code() {
                Some("D1012") => format!("took longer than {TIME_LIMIT_MS} ms"),
                Some(code) => format!("threw an error during evaluation: {code}"),
                None => "threw an error during evaluation".to_owned(),
            })),
            Err(_) => Err(expression.error("could not be evaluated")),
        }
    }
}

/// The value as JSON, if it is one.
fn to_json(value: &JValue, depth: usize) -> Result<Value, &'static str> {
    if depth > DEPTH_LIMIT {
        return Err("returned a value that is nested too deep");
    }
    Ok(match value {
        JValue::Null => Value::Null,
        JValue::Bool(boolean) => Value::Bool(*boolean),
        JValue::Number(number) => Value::Number(to_number(*number)?),
        JValue::String(text) => Value::String(text.to_string()),
        JValue::Array(items) => with_stack(|| {
            items.iter().map(|item| to_json(item, depth + 1)).collect::<Result<_, _>>().map(Value::Array)
        })?,
        JValue::Object(fields) => with_stack(|| {
            let mut object = Map::with_capacity(fields.len());
            for (name, value) in fields.iter().filter(|(_, value)| !value.is_undefined()) {
                object.insert(name.clone(), to_json(value, depth + 1)?);
            }
            Ok::<_, &'static str>(Value::Object(object))
        })?,
        JValue::Undefined => return Err("returned a list with nothing (undefined) in it"),
        JValue::Lambda(_) | JValue::Builtin { .. } | JValue::Regex { .. } => {
            return Err("returned a function, which is not JSON");
        }
    })
}

fn to_number(number: f64) -> Result<Number, &'static str> {
    /// The whole numbers that a double holds exactly.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    if number.fract() == 0.0 && number.abs() <= EXACT {
        return Ok(Number::from(number as i64));
    }
    Number::from_f64(number).ok_or("returned a number that is not finite")
}

#[cfg(test)]
mod tests;
