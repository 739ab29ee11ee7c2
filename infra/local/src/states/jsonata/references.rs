//! What an expression may refer to, checked when its definition is loaded: no `$eval`, and only those parts of `$states`
//! that exist where it stands.

use jsonata_core::ast::{AstNode, PathStep, Stage};
use jsonata_core::value::with_stack;

/// Where an expression stands, which decides what `$states` has there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Before a result or without one: `input`, `context`.
    State,
    /// After the result of a Task: also `result`.
    Result,
    /// In a Catch: also `errorOutput`.
    Catch,
}

impl Place {
    fn has(self, field: &str) -> bool {
        matches!(
            (self, field),
            (_, "input" | "context") | (Self::Result, "result") | (Self::Catch, "errorOutput")
        )
    }
}

/// Checks a parsed expression.
pub(super) fn check(node: &AstNode, place: Place) -> Result<(), String> {
    with_stack(|| check_one(node, place))
}

fn check_one(node: &AstNode, place: Place) -> Result<(), String> {
    let all = |nodes: &[AstNode]| nodes.iter().try_for_each(|node| check(node, place));
    let pairs = |pairs: &[(AstNode, AstNode)]| {
        pairs.iter().try_for_each(|(key, value)| check(key, place).and_then(|()| check(value, place)))
    };
    match node {
        AstNode::Variable(name) => refuse_eval(name),
        AstNode::Function { name, args, .. } => refuse_eval(name).and_then(|()| all(args)),
        AstNode::Path { steps } => {
            check_states(steps, place)?;
            steps.iter().try_for_each(|step| {
                check(&step.node, place)?;
                step.stages.iter().try_for_each(|stage| match stage {
                    Stage::Filter(filter) => check(filter, place),
                    Stage::KeepArray | Stage::Index(_) => Ok(()),
                })
            })
        }
        AstNode::Binary { lhs, rhs, .. } => check(lhs, place).and_then(|()| check(rhs, place)),
        AstNode::Unary { operand, .. } => check(operand, place),
        AstNode::Call { procedure, args } => check(procedure, place).and_then(|()| all(args)),
        AstNode::Lambda { body, .. } => check(body, place),
        AstNode::Array(items) | AstNode::Block(items) | AstNode::ArrayGroup(items) => all(items),
        AstNode::Object(fields) => pairs(fields),
        AstNode::ObjectTransform { input, pattern } => check(input, place).and_then(|()| pairs(pattern)),
        AstNode::Conditional { condition, then_branch, else_branch } => {
            check(condition, place)?;
            check(then_branch, place)?;
            else_branch.as_deref().map_or(Ok(()), |branch| check(branch, place))
        }
        AstNode::FunctionApplication(inner) => check(inner, place),
        AstNode::Sort { input, terms } => {
            check(input, place)?;
            terms.iter().try_for_each(|(term, _)| check(term, place))
        }
        AstNode::Transform { location, update, delete } => {
            check(location, place)?;
            check(update, place)?;
            delete.as_deref().map_or(Ok(()), |delete| check(delete, place))
        }
        AstNode::String(_)
        | AstNode::Name(_)
        | AstNode::Number(_)
        | AstNode::Boolean(_)
        | AstNode::Null
        | AstNode::Undefined
        | AstNode::Placeholder
        | AstNode::Regex { .. }
        | AstNode::ParentVariable(_)
        | AstNode::Wildcard
        | AstNode::Descendant
        | AstNode::Parent(_) => Ok(()),
    }
}

fn refuse_eval(name: &str) -> Result<(), String> {
    if name == "eval" { Err("$eval is not allowed; use $parse for JSON".to_owned()) } else { Ok(()) }
}

/// `$states.x` must be a part that exists here.
fn check_states(steps: &[PathStep], place: Place) -> Result<(), String> {
    let [first, second, ..] = steps else { return Ok(()) };
    match (&first.node, &second.node) {
        (AstNode::Variable(variable), AstNode::Name(field)) if variable == "states" && !place.has(field) => {
            Err(format!("$states.{field} does not exist here"))
        }
        _ => Ok(()),
    }
}
