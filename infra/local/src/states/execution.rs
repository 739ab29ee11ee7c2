//! One execution, as a pure function: a step takes the state, the definition, the time, a source of chance and an event,
//! and gives the changed state, the history it wrote and what is to be done outside. No clock, no I/O, so that every path
//! of a machine can be tested in virtual time, and a step that could not be stored can be taken again.

mod context;
mod history;
mod machine;
mod redrive;
mod simple;
mod task;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub use self::history::HistoryEvent;
use self::machine::Machine;
pub use self::redrive::NotRedrivable;
use super::chance::Chance;
use super::definition::{Definition, Resource};
use super::time::Timestamp;

/// Who an execution is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// `arn:aws:states:<region>:<account>:execution:<machine>:<name>`
    pub arn: String,
    /// The name it was started with.
    pub name: String,
    /// The ARN of its state machine.
    pub machine_arn: String,
    /// The name of its state machine.
    pub machine_name: String,
    /// The role it would run as on AWS.
    pub role_arn: String,
    /// The region.
    pub region: String,
}

/// Where an execution stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Status {
    /// It is open.
    Running,
    /// It reached its end.
    Succeeded,
    /// A state failed and nothing caught it.
    Failed,
    /// It took longer than the machine's `TimeoutSeconds`.
    TimedOut,
    /// It was stopped.
    Aborted,
}

impl Status {
    /// The status as AWS writes it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Running => "RUNNING",
            Self::Succeeded => "SUCCEEDED",
            Self::Failed => "FAILED",
            Self::TimedOut => "TIMED_OUT",
            Self::Aborted => "ABORTED",
        }
    }
}

/// An execution. What is serialised is all that is needed to go on after the process has died, except the input, which
/// is kept beside it. Holds task tokens: not for logs, and therefore not `Debug`.
#[derive(Clone, Serialize, Deserialize)]
pub struct Execution {
    /// Who it is.
    pub identity: Identity,
    /// What it was started with.
    #[serde(skip)]
    pub input: Value,
    /// X-Ray's trace header, as it was passed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace_header: Option<String>,
    /// Where it stands.
    pub status: Status,
    /// When it was started.
    pub started: Timestamp,
    /// When it was closed, if it is.
    pub stopped: Option<Timestamp>,
    /// How often it was redriven.
    pub redrive_count: u32,
    /// When it was last redriven.
    pub redriven: Option<Timestamp>,
    /// Its result, if it succeeded.
    pub output: Option<Value>,
    /// The error's name, if it failed or was stopped with one.
    pub error: Option<String>,
    /// The error's cause.
    pub cause: Option<String>,
    /// When the machine's `TimeoutSeconds` are over.
    deadline: Option<Timestamp>,
    variables: Map<String, Value>,
    /// The state it is in, or in which it ended without success.
    current: Option<Current>,
    /// How many attempts at a Task were made: the last one's number.
    attempts: u64,
    /// Attempts that were given up before their job was known to run. It is to be stopped once it is known.
    abandoned: Vec<(u64, Resource)>,
    /// The id of the last event in the history.
    last_event: i64,
}

/// The state that an execution is in.
#[derive(Clone, Serialize, Deserialize)]
struct Current {
    name: String,
    entered: Timestamp,
    /// The id of the event that says so.
    entered_event: i64,
    input: Value,
    /// How often each entry of `Retry` has retried.
    retries: Vec<u32>,
    phase: Phase,
}

#[derive(Clone, Serialize, Deserialize)]
enum Phase {
    /// To be executed now.
    Ready,
    /// A Wait state, waiting.
    Waiting { until: Timestamp },
    /// A Task state between two attempts.
    Pausing { until: Timestamp },
    /// A Task state at work.
    Running(Box<Attempt>),
}

/// One attempt at a Task.
#[derive(Clone, Serialize, Deserialize)]
struct Attempt {
    number: u64,
    token: Option<String>,
    resource: Resource,
    arguments: Value,
    /// When the state's `TimeoutSeconds` are over.
    expires: Option<Timestamp>,
    heartbeat_seconds: Option<u64>,
    /// When the next heartbeat is missed.
    heartbeat_due: Option<Timestamp>,
    /// What the service said when the job was started.
    submitted: Option<Value>,
}

/// Why a Task or a state failed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Failure {
    /// The error's name.
    pub error: Option<String>,
    /// What is known of it.
    pub cause: Option<String>,
}

impl Failure {
    /// A failure with name and cause.
    #[must_use]
    pub fn new(error: impl Into<String>, cause: impl Into<String>) -> Self {
        Self { error: Some(error.into()), cause: Some(cause.into()) }
    }
}

/// What happens to an execution. Carries tokens: not `Debug`.
#[derive(Clone)]
pub enum Event {
    /// It begins.
    Start,
    /// The job of an attempt runs.
    Submitted {
        /// The attempt.
        attempt: u64,
        /// What the service said.
        output: Value,
    },
    /// An attempt's call, or its job, has succeeded.
    Succeeded {
        /// The attempt.
        attempt: u64,
        /// The result.
        output: Value,
    },
    /// An attempt's call, or its job, has failed.
    Failed {
        /// The attempt.
        attempt: u64,
        /// Why.
        failure: Failure,
    },
    /// Whoever holds the token reports success.
    TokenSuccess {
        /// The token.
        token: String,
        /// The result.
        output: Value,
    },
    /// Whoever holds the token reports a failure.
    TokenFailure {
        /// The token.
        token: String,
        /// Why.
        failure: Failure,
    },
    /// As [`Event::TokenFailure`], because the stack itself ends: tried again, and no retry is used up.
    TokenInterrupted {
        /// The token.
        token: String,
        /// Why.
        failure: Failure,
    },
    /// Whoever holds the token is at work.
    Heartbeat {
        /// The token.
        token: String,
    },
    /// Time has passed.
    Wake,
    /// It is to end.
    Stop(Failure),
    /// It is to go on from where it failed.
    Redrive,
}

/// What is to be done outside. Carries tokens: not `Debug`.
#[derive(Clone, PartialEq)]
pub enum Effect {
    /// Call a service for an attempt, and tell of the outcome.
    Invoke {
        /// The attempt.
        attempt: u64,
        /// What to call.
        resource: Resource,
        /// With what.
        arguments: Value,
    },
    /// Wait for the job of an attempt, and tell of its outcome.
    Watch {
        /// The attempt.
        attempt: u64,
        /// What was called.
        resource: Resource,
        /// What the service said.
        submitted: Value,
    },
    /// Stop a job: nobody waits for it any longer.
    Cancel {
        /// What was called.
        resource: Resource,
        /// What the service said.
        submitted: Value,
    },
    /// Tell everybody that the execution has this status now.
    StatusChanged(Status),
}

/// What a step did.
#[derive(Default)]
pub struct Step {
    /// What is to be done, in this order, once the step is stored.
    pub effects: Vec<Effect>,
    /// What is to be added to the history.
    pub history: Vec<HistoryEvent>,
    /// Why the event was refused. The step may have changed the execution all the same: time had passed.
    pub refused: Option<Refused>,
}

impl Step {
    /// Whether the event was refused and nothing else happened: there is nothing to store.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        self.refused.is_some() && self.effects.is_empty() && self.history.is_empty()
    }
}

/// Why an event is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The token's attempt has ended.
    #[error("Provided task does not exist anymore")]
    TaskTimedOut,
    /// The execution is closed.
    #[error("the execution is closed")]
    Closed,
    /// The execution cannot be redriven.
    #[error("{0}")]
    NotRedrivable(NotRedrivable),
}

impl Execution {
    /// An execution that has yet to take its first step, [`Event::Start`].
    #[must_use]
    pub fn new(identity: Identity, input: Value, now: Timestamp) -> Self {
        Self {
            identity,
            input,
            trace_header: None,
            status: Status::Running,
            started: now,
            stopped: None,
            redrive_count: 0,
            redriven: None,
            output: None,
            error: None,
            cause: None,
            deadline: None,
            variables: Map::new(),
            current: None,
            attempts: 0,
            abandoned: Vec::new(),
            last_event: 0,
        }
    }

    /// Takes a step. Deadlines that have passed by `now` come first, so that a token whose time is over is refused even
    /// if the timer is late.
    pub fn step(
        &mut self,
        definition: &Definition,
        now: Timestamp,
        chance: &mut Chance,
        event: Event,
    ) -> Step {
        let mut machine = Machine { execution: self, definition, now, chance, step: Step::default() };
        machine.fire_deadlines();
        machine.handle(event);
        machine.step
    }

    /// When the execution next wants to be woken, if time alone can change it.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Timestamp> {
        if self.status != Status::Running {
            return None;
        }
        let of_state = self.current.as_ref().and_then(|current| match &current.phase {
            Phase::Ready => None,
            Phase::Waiting { until } | Phase::Pausing { until } => Some(*until),
            Phase::Running(attempt) => attempt.next_deadline(),
        });
        self.deadline.into_iter().chain(of_state).min()
    }

    /// What was under way, to be taken up again after the process has died: a call is made again, a job waited for.
    #[must_use]
    pub fn unfinished(&self) -> Option<Effect> {
        let attempt = self.attempt()?;
        let (number, resource) = (attempt.number, attempt.resource);
        Some(match &attempt.submitted {
            Some(submitted) => Effect::Watch { attempt: number, resource, submitted: submitted.clone() },
            None => Effect::Invoke { attempt: number, resource, arguments: attempt.arguments.clone() },
        })
    }

    /// The token of the attempt at work. A secret.
    #[must_use]
    pub fn token(&self) -> Option<&str> {
        self.attempt()?.token.as_deref()
    }

    /// The name of the state it is in, or ended in without success.
    #[must_use]
    pub fn state_name(&self) -> Option<&str> {
        self.current.as_ref().map(|current| current.name.as_str())
    }

    /// How many events its history has.
    #[must_use]
    pub fn event_count(&self) -> i64 {
        self.last_event
    }

    fn attempt(&self) -> Option<&Attempt> {
        match &self.current.as_ref()?.phase {
            Phase::Running(attempt) if self.status == Status::Running => Some(attempt),
            _ => None,
        }
    }
}

impl Attempt {
    fn next_deadline(&self) -> Option<Timestamp> {
        self.expires.into_iter().chain(self.heartbeat_due).min()
    }
}
