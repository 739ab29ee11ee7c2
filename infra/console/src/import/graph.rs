//! A state machine as a graph: its states, and the ways between them, read from its definition. Only what a picture needs
//! is read; a definition with states that are not known here (`Map`, `Parallel`, or what comes after them) is drawn all the
//! same, each of them as one box.

mod layers;
pub(super) mod placement;

use std::collections::VecDeque;

use ops::text::{cut, visible};
use serde_json::{Map, Value};

/// The most columns that a label takes.
const LABEL_COLUMNS: usize = 34;
/// A picture of more states than this would not be looked at.
const MOST_STATES: usize = 200;

/// A state machine.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Graph {
    /// In the order in which they are reached; the first is where an execution starts.
    pub(super) states: Vec<State>,
    pub(super) ways: Vec<Way>,
}

/// A state.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct State {
    pub(super) name: String,
    /// As the definition has it: `Task`.
    pub(super) kind: String,
    /// What a task calls: `ecs:runTask.sync`. What a state with states of its own holds: `3 states`.
    pub(super) detail: Option<String>,
    pub(super) comment: Option<String>,
    /// The execution ends with it.
    pub(super) is_end: bool,
}

/// A way from one state to another.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Way {
    pub(super) from: usize,
    pub(super) to: usize,
    pub(super) kind: WayKind,
    /// What stands at it, cut.
    pub(super) label: Option<String>,
    /// The same in full.
    pub(super) title: Option<String>,
}

/// When a way is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum WayKind {
    Next,
    Choice,
    Default,
    Catch,
}

impl Graph {
    /// Reads a definition in the Amazon States Language.
    ///
    /// # Errors
    /// A sentence that says why there is nothing to draw.
    pub(super) fn read(definition: &str) -> Result<Self, String> {
        let definition: Value = serde_json::from_str(definition)
            .map_err(|error| format!("the definition is no JSON: {error}"))?;
        let states = definition["States"].as_object().filter(|states| !states.is_empty());
        let states = states.ok_or("the definition has no states")?;
        if states.len() > MOST_STATES {
            return Err(format!("{} states are too many for a picture", states.len()));
        }
        let start = definition["StartAt"].as_str().filter(|start| states.contains_key(*start));
        let start = start.ok_or("the definition does not say where it starts")?;
        let names = in_order(states, start);
        let index = |name: &str| names.iter().position(|known| *known == name);
        let mut ways = Vec::new();
        for (from, name) in names.iter().enumerate() {
            for (target, kind, label) in ways_out(&states[*name]) {
                // A way to nowhere is Step Functions' to refuse.
                if let Some(to) = index(target) {
                    let title = label.map(|label| visible(&label));
                    let label = title.as_ref().map(|title| cut(title, LABEL_COLUMNS));
                    ways.push(Way { from, to, kind, label, title });
                }
            }
        }
        Ok(Self { states: names.iter().map(|name| State::read(name, &states[*name])).collect(), ways })
    }
}

impl State {
    fn read(name: &str, state: &Value) -> Self {
        let text = |field: &str| state[field].as_str().map(visible);
        let kind = text("Type").unwrap_or_else(|| "unknown".to_owned());
        let is_end = state["End"] == true || matches!(kind.as_str(), "Succeed" | "Fail");
        Self { name: visible(name), kind, detail: detail(state), comment: text("Comment"), is_end }
    }
}

fn detail(state: &Value) -> Option<String> {
    let inner = |machine: &Value| machine["States"].as_object().map_or(0, Map::len);
    let held = match state["Type"].as_str()? {
        "Task" => {
            let resource = state["Resource"].as_str()?;
            return Some(visible(resource.strip_prefix("arn:aws:states:::").unwrap_or(resource)));
        }
        "Map" => inner(&state["ItemProcessor"]).max(inner(&state["Iterator"])),
        "Parallel" => state["Branches"].as_array()?.iter().map(inner).sum(),
        _ => return None,
    };
    Some(format!("{held} state{} inside", if held == 1 { "" } else { "s" }))
}

/// The names of the states as they are reached; those that cannot be reached come last.
fn in_order<'a>(states: &'a Map<String, Value>, start: &'a str) -> Vec<&'a str> {
    let mut names: Vec<&str> = Vec::new();
    let mut waiting: VecDeque<&str> =
        std::iter::once(start).chain(states.keys().map(String::as_str)).collect();
    let mut reached = VecDeque::new();
    while let Some(name) = reached.pop_front().or_else(|| waiting.pop_front()) {
        if let Some(state) = states.get(name).filter(|_| !names.contains(&name)) {
            names.push(name);
            reached.extend(ways_out(state).into_iter().map(|(target, ..)| target));
        }
    }
    names
}

/// Where a state may lead, when, and what to write at it.
fn ways_out(state: &Value) -> Vec<(&str, WayKind, Option<String>)> {
    let mut ways = Vec::new();
    let items = |field: &str| state[field].as_array().map(Vec::as_slice).unwrap_or_default();
    for (number, choice) in items("Choices").iter().enumerate() {
        if let Some(target) = choice["Next"].as_str() {
            let label = condition(choice).unwrap_or_else(|| format!("choice {}", number + 1));
            ways.push((target, WayKind::Choice, Some(label)));
        }
    }
    if let Some(target) = state["Default"].as_str() {
        ways.push((target, WayKind::Default, Some("otherwise".to_owned())));
    }
    if let Some(target) = state["Next"].as_str() {
        ways.push((target, WayKind::Next, None));
    }
    for catcher in items("Catch") {
        if let Some(target) = catcher["Next"].as_str() {
            ways.push((target, WayKind::Catch, Some(caught(&catcher["ErrorEquals"]))));
        }
    }
    ways
}

/// A condition, in JSONata or of one comparison in JSONPath.
fn condition(choice: &Value) -> Option<String> {
    if let Some(condition) = choice["Condition"].as_str() {
        let inner = condition.trim().strip_prefix("{%").and_then(|inner| inner.strip_suffix("%}"));
        return Some(inner.unwrap_or(condition).trim().to_owned());
    }
    let variable = choice["Variable"].as_str()?;
    let comparison = choice.as_object()?.iter().find(|(field, value)| {
        !matches!(field.as_str(), "Variable" | "Next" | "Comment" | "Assign" | "Output") && !value.is_object()
    });
    comparison.map(|(operator, value)| format!("{variable} {operator} {value}"))
}

fn caught(errors: &Value) -> String {
    let names: Vec<_> = errors.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    match names.as_slice() {
        ["States.ALL"] => "on any error".to_owned(),
        names => format!("on {}", names.join(", ")),
    }
}

#[cfg(test)]
pub(super) mod tests;
