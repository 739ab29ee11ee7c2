//! JSON with expressions in it: `Arguments`, `Output`, `Assign` and their like.

use serde_json::{Map, Value};

use super::{EvaluationError, Expression, Place, Session, source_of};

/// A JSON value of a definition whose `{% … %}` strings are evaluated, each to a value of any type.
#[derive(Clone, Debug)]
pub enum Template {
    /// A value without expressions.
    Literal(Value),
    /// An expression.
    Expression(Box<Expression>),
    /// A list.
    List(Vec<Template>),
    /// An object; its keys are literal.
    Object(Vec<(String, Template)>),
}

impl Template {
    /// Reads the value of `field`.
    ///
    /// # Errors
    /// A sentence that names the field whose expression is none.
    pub fn parse(field: &str, value: Value, place: Place) -> Result<Self, String> {
        Ok(match value {
            Value::String(text) => {
                match source_of(&text).map_err(|problem| format!("field {field}: {problem}"))? {
                    Some(source) => Self::Expression(Box::new(Expression::parse(field, source, place)?)),
                    None => Self::Literal(Value::String(text)),
                }
            }
            Value::Array(items) => {
                let item = |(n, item)| Self::parse(&format!("{field}[{n}]"), item, place);
                Self::List(items.into_iter().enumerate().map(item).collect::<Result<_, _>>()?)
            }
            Value::Object(fields) => {
                let one = |(name, value)| {
                    let template = Self::parse(&format!("{field}/{name}"), value, place)?;
                    Ok((name, template))
                };
                Self::Object(fields.into_iter().map(one).collect::<Result<_, String>>()?)
            }
            plain => Self::Literal(plain),
        })
    }

    /// The value, its expressions evaluated.
    pub(crate) fn evaluate(&self, session: &mut Session) -> Result<Value, EvaluationError> {
        Ok(match self {
            Self::Literal(value) => value.clone(),
            Self::Expression(expression) => session.evaluate(expression)?,
            Self::List(items) => {
                Value::Array(items.iter().map(|item| item.evaluate(session)).collect::<Result<_, _>>()?)
            }
            Self::Object(fields) => {
                let mut object = Map::with_capacity(fields.len());
                for (name, template) in fields {
                    object.insert(name.clone(), template.evaluate(session)?);
                }
                Value::Object(object)
            }
        })
    }

    /// The error of a value that is not what the field takes.
    pub(crate) fn error(&self, field: &str, what: &str) -> EvaluationError {
        match self {
            Self::Expression(expression) => expression.error(what),
            _ => EvaluationError {
                location: field.to_owned(),
                cause: format!("The value specified for the field '{field}' {what}."),
            },
        }
    }
}
