//! A state machine in Amazon States Language, as far as the stack runs it: JSONata only; Task, Choice, Pass, Wait,
//! Succeed and Fail. What is not implemented is refused by name when the definition is loaded, so that no field is ever
//! ignored; all expressions are parsed then.
//!
//! Source: <https://states-language.net> and the Step Functions developer guide.

mod errors;
mod fields;
mod parse;
mod resource;
mod substitute;

use std::collections::HashMap;

pub use self::errors::{Catcher, ErrorName, Retrier};
pub use self::resource::Resource;
pub use self::substitute::{InvalidSubstitution, substitute};
use super::jsonata::{Expression, Template};

/// A state machine.
#[derive(Clone, Debug)]
pub struct Definition {
    pub(crate) start_at: String,
    /// How long an execution may take, in seconds.
    pub(crate) timeout_seconds: Option<u64>,
    pub(crate) states: HashMap<String, State>,
}

/// Why a definition is not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{location}: {problem}")]
pub struct InvalidDefinition {
    /// `state RunImport`, or `state machine`.
    pub location: String,
    /// A sentence.
    pub problem: String,
}

/// One state.
#[derive(Clone, Debug)]
pub(crate) enum State {
    Task(Box<Task>),
    Choice(Choice),
    Pass(Transition),
    Wait(Wait),
    Succeed(Option<Template>),
    Fail(Fail),
}

/// How a state is left. The state's `Output` and `Assign` see the same variables: those from before.
#[derive(Clone, Debug)]
pub(crate) struct Transition {
    pub(crate) output: Option<Template>,
    pub(crate) assign: Vec<(String, Template)>,
    pub(crate) next: Next,
}

/// Where an execution goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    State(String),
    End,
}

/// A Task state.
#[derive(Clone, Debug)]
pub(crate) struct Task {
    pub(crate) resource: Resource,
    pub(crate) arguments: Template,
    pub(crate) timeout: Option<Template>,
    pub(crate) heartbeat: Option<Template>,
    pub(crate) transition: Transition,
    pub(crate) retry: Vec<Retrier>,
    pub(crate) catch: Vec<Catcher>,
}

/// A Choice state.
#[derive(Clone, Debug)]
pub(crate) struct Choice {
    pub(crate) rules: Vec<Rule>,
    /// Taken where no rule applies.
    pub(crate) default: Option<Transition>,
}

/// A rule of a Choice state.
#[derive(Clone, Debug)]
pub(crate) struct Rule {
    pub(crate) condition: Expression,
    pub(crate) transition: Transition,
}

/// A Wait state.
#[derive(Clone, Debug)]
pub(crate) struct Wait {
    pub(crate) until: Until,
    pub(crate) transition: Transition,
}

/// How long a Wait state waits.
#[derive(Clone, Debug)]
pub(crate) enum Until {
    Seconds(Template),
    Timestamp(Template),
}

/// A Fail state.
#[derive(Clone, Debug)]
pub(crate) struct Fail {
    pub(crate) error: Option<Template>,
    pub(crate) cause: Option<Template>,
}

impl State {
    /// The type, as it stands in the definition and begins the names of the state's events.
    pub(crate) fn type_name(&self) -> &'static str {
        match self {
            Self::Task(_) => "Task",
            Self::Choice(_) => "Choice",
            Self::Pass(_) => "Pass",
            Self::Wait(_) => "Wait",
            Self::Succeed(_) => "Succeed",
            Self::Fail(_) => "Fail",
        }
    }

    /// Every state that may follow.
    pub(crate) fn successors(&self) -> Vec<&Next> {
        match self {
            Self::Task(task) => {
                let caught = task.catch.iter().map(|catcher| &catcher.transition.next);
                caught.chain([&task.transition.next]).collect()
            }
            Self::Choice(choice) => {
                let default = choice.default.iter().map(|transition| &transition.next);
                choice.rules.iter().map(|rule| &rule.transition.next).chain(default).collect()
            }
            Self::Pass(transition) => vec![&transition.next],
            Self::Wait(wait) => vec![&wait.transition.next],
            Self::Succeed(_) | Self::Fail(_) => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests;
