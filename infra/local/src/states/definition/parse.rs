//! Reads a definition: every field that is known is taken, every other refused.

use serde_json::Value;

use super::fields::{Fields, MAX_SECONDS};
use super::{
    Catcher, Choice, Definition, Fail, InvalidDefinition, Next, Resource, Retrier, Rule, State, Task,
    Transition, Until, Wait,
};
use crate::states::jsonata::{Expression, Place, Template, source_of};

/// The longest definition, in bytes (`API_CreateStateMachine`).
const MAX_DEFINITION_BYTES: usize = 1_048_576;

/// The longest name of a state, in characters.
const MAX_STATE_NAME: usize = 80;

/// How a place says where to go on.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum NextField {
    /// `Next`, and nothing else.
    Next,
    /// `Next` or `End`.
    NextOrEnd,
}

impl Definition {
    /// Reads a definition whose substitutions are made.
    ///
    /// # Errors
    /// [`InvalidDefinition`], naming the state and the field: no ASL, or not implemented.
    pub fn parse(text: &str) -> Result<Self, InvalidDefinition> {
        const LOCATION: &str = "state machine";
        let problem = |problem: String| InvalidDefinition { location: LOCATION.to_owned(), problem };
        if text.len() > MAX_DEFINITION_BYTES {
            return Err(problem(format!("it has more than {MAX_DEFINITION_BYTES} bytes")));
        }
        let value =
            serde_json::from_str(text).map_err(|error| problem(format!("it is not JSON: {error}")))?;
        let mut fields = Fields::new(LOCATION, String::new(), value)?;
        fields.comment()?;
        match fields.text("QueryLanguage")?.as_deref() {
            Some("JSONata") => {}
            None | Some("JSONPath") => {
                return Err(fields.invalid("QueryLanguage", "must be JSONata: JSONPath is not implemented"));
            }
            Some(_) => return Err(fields.invalid("QueryLanguage", "must be JSONata")),
        }
        let start_at = fields.text("StartAt")?;
        let start_at = fields.required("StartAt", start_at)?;
        let timeout_seconds = fields.whole("TimeoutSeconds", 1, MAX_SECONDS)?;
        let states = fields.take("States");
        let states = match fields.required("States", states)? {
            Value::Object(states) if !states.is_empty() => states,
            _ => return Err(fields.invalid("States", "is not an object of states")),
        };
        fields.finish()?;
        let one = |(name, value): (String, Value)| {
            let state = state(&name, value)?;
            Ok((name, state))
        };
        let states = states.into_iter().map(one).collect::<Result<_, _>>()?;
        let definition = Self { start_at, timeout_seconds, states };
        definition.check_targets()?;
        Ok(definition)
    }

    fn check_targets(&self) -> Result<(), InvalidDefinition> {
        let missing = |location: String, target: &str| {
            let problem = format!("there is no state {target}");
            InvalidDefinition { location, problem }
        };
        if !self.states.contains_key(&self.start_at) {
            return Err(missing("state machine".to_owned(), &self.start_at));
        }
        for (name, state) in &self.states {
            for next in state.successors() {
                if let Next::State(target) = next
                    && !self.states.contains_key(target)
                {
                    return Err(missing(format!("state {name}"), target));
                }
            }
        }
        Ok(())
    }
}

fn state(name: &str, value: Value) -> Result<State, InvalidDefinition> {
    let mut fields = Fields::new(&format!("state {name}"), String::new(), value)?;
    if name.is_empty() || name.chars().count() > MAX_STATE_NAME {
        return Err(fields.problem(format!("its name does not have 1 to {MAX_STATE_NAME} characters")));
    }
    fields.comment()?;
    let state_type = fields.text("Type")?;
    let state_type = fields.required("Type", state_type)?;
    let state = match state_type.as_str() {
        "Task" => State::Task(Box::new(task(&mut fields)?)),
        "Choice" => State::Choice(choice(&mut fields)?),
        "Pass" => State::Pass(transition(&mut fields, Place::State, NextField::NextOrEnd)?),
        "Wait" => State::Wait(wait(&mut fields)?),
        "Succeed" => State::Succeed(fields.template("Output", Place::State)?),
        "Fail" => State::Fail(Fail {
            error: text_template(&mut fields, "Error")?,
            cause: text_template(&mut fields, "Cause")?,
        }),
        other => return Err(fields.problem(format!("type {other} is not implemented"))),
    };
    fields.finish()?;
    Ok(state)
}

fn task(fields: &mut Fields) -> Result<Task, InvalidDefinition> {
    let arn = fields.text("Resource")?;
    let arn = fields.required("Resource", arn)?;
    let resource =
        Resource::of_arn(&arn).ok_or_else(|| fields.problem(format!("resource {arn} is not implemented")))?;
    let arguments = fields.template("Arguments", Place::State)?;
    let arguments = fields.required("Arguments", arguments)?;
    if let (Resource::EcsRunTaskSync, Template::Object(arguments)) = (resource, &arguments)
        && arguments.iter().any(|(name, _)| name == "Count")
    {
        return Err(fields.invalid("Arguments/Count", "is not implemented: one task is run"));
    }
    let timeout = fields.seconds("TimeoutSeconds", 1)?;
    let heartbeat = fields.seconds("HeartbeatSeconds", 1)?;
    if heartbeat.is_some() && !resource.has_token() {
        return Err(fields.invalid("HeartbeatSeconds", &format!("is not implemented for {arn}")));
    }
    if let (Some(Template::Literal(timeout)), Some(Template::Literal(heartbeat))) = (&timeout, &heartbeat)
        && heartbeat.as_u64() >= timeout.as_u64()
    {
        return Err(fields.invalid("HeartbeatSeconds", "is not less than TimeoutSeconds"));
    }
    Ok(Task {
        resource,
        arguments,
        timeout,
        heartbeat,
        transition: transition(fields, Place::Result, NextField::NextOrEnd)?,
        retry: Retrier::parse_all(fields)?,
        catch: Catcher::parse_all(fields)?,
    })
}

fn choice(fields: &mut Fields) -> Result<Choice, InvalidDefinition> {
    let rules = fields.objects("Choices")?;
    let rules: Vec<_> = fields.required("Choices", rules)?.into_iter().map(rule).collect::<Result<_, _>>()?;
    if rules.is_empty() {
        return Err(fields.invalid("Choices", "is empty"));
    }
    let output = fields.template("Output", Place::State)?;
    let assign = assign(fields, Place::State)?;
    let default = match fields.text("Default")? {
        Some(name) => Some(Transition { output, assign, next: Next::State(name) }),
        None if output.is_some() || !assign.is_empty() => {
            return Err(
                fields.invalid("Default", "is missing, so that Output and Assign would never be used")
            );
        }
        None => None,
    };
    Ok(Choice { rules, default })
}

fn rule(mut fields: Fields) -> Result<Rule, InvalidDefinition> {
    fields.comment()?;
    let text = fields.text("Condition")?;
    let text = fields.required("Condition", text)?;
    let source = source_of(&text)
        .map_err(|problem| fields.invalid("Condition", &problem))?
        .ok_or_else(|| fields.invalid("Condition", "is not an expression"))?;
    let condition =
        Expression::parse("Condition", source, Place::State).map_err(|problem| fields.problem(problem))?;
    let transition = transition(&mut fields, Place::State, NextField::Next)?;
    fields.finish()?;
    Ok(Rule { condition, transition })
}

fn wait(fields: &mut Fields) -> Result<Wait, InvalidDefinition> {
    let seconds = fields.seconds("Seconds", 0)?;
    let timestamp = text_template(fields, "Timestamp")?;
    let until = match (seconds, timestamp) {
        (Some(seconds), None) => Until::Seconds(seconds),
        (None, Some(timestamp)) => Until::Timestamp(timestamp),
        _ => return Err(fields.problem("it must have either Seconds or Timestamp".to_owned())),
    };
    Ok(Wait { until, transition: transition(fields, Place::State, NextField::NextOrEnd)? })
}

/// `Output`, `Assign`, and where to go on.
pub(super) fn transition(
    fields: &mut Fields,
    place: Place,
    next_field: NextField,
) -> Result<Transition, InvalidDefinition> {
    let output = fields.template("Output", place)?;
    let assign = assign(fields, place)?;
    let end = match (next_field, fields.take("End")) {
        (_, None) => false,
        (NextField::NextOrEnd, Some(Value::Bool(end))) => end,
        (NextField::NextOrEnd, Some(_)) => return Err(fields.invalid("End", "is neither true nor false")),
        (NextField::Next, Some(_)) => return Err(fields.invalid("End", "is not allowed")),
    };
    let next = match (fields.text("Next")?, end) {
        (Some(name), false) => Next::State(name),
        (None, true) => Next::End,
        (Some(_), true) => return Err(fields.invalid("Next", "stands beside End")),
        (None, false) => return Err(fields.invalid("Next", "is missing")),
    };
    Ok(Transition { output, assign, next })
}

fn assign(fields: &mut Fields, place: Place) -> Result<Vec<(String, Template)>, InvalidDefinition> {
    match fields.template("Assign", place)? {
        None => Ok(Vec::new()),
        Some(Template::Object(variables)) => {
            match variables.iter().find(|(name, _)| !is_variable_name(name)) {
                Some((name, _)) => Err(fields.invalid(&format!("Assign/{name}"), "is no name of a variable")),
                None => Ok(variables),
            }
        }
        Some(_) => Err(fields.invalid("Assign", "is not an object")),
    }
}

/// A letter or an underscore, then letters, digits and underscores; at most 80. `states` belongs to Step Functions.
fn is_variable_name(name: &str) -> bool {
    let starts_well = name.chars().next().is_some_and(|first| first.is_alphabetic() || first == '_');
    starts_well
        && name.chars().all(|c| c.is_alphanumeric() || c == '_')
        && name.chars().count() <= 80
        && name != "states"
}

fn text_template(fields: &mut Fields, field: &str) -> Result<Option<Template>, InvalidDefinition> {
    match fields.template(field, Place::State)? {
        Some(Template::Literal(Value::String(text))) => Ok(Some(Template::Literal(Value::String(text)))),
        Some(Template::Expression(expression)) => Ok(Some(Template::Expression(expression))),
        Some(_) => Err(fields.invalid(field, "is not text")),
        None => Ok(None),
    }
}
