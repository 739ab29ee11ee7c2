//! An execution in virtual time: the test is the clock, the services and the worker.

use std::collections::VecDeque;

use local_stack::states::definition::{Definition, Resource, substitute};
use local_stack::states::execution::{
    Effect, Event, Execution, Failure, HistoryEvent, Identity, Refused, Status,
};
use local_stack::states::{Chance, Timestamp};
use serde_json::{Value, json};
use statemachine::{DEAD_LETTER_DEFINITION, IMPORT_DEFINITION};

/// 2026-11-23T10:00:00Z
const START: Timestamp = Timestamp::from_millis(1_795_428_000_000);

pub(crate) const RUN_TIMEOUT_SECONDS: u64 = 3600;
pub(crate) const HEARTBEAT_SECONDS: u64 = 60;

/// One execution and everything around it.
pub(crate) struct Run {
    definition: Definition,
    pub(crate) execution: Execution,
    pub(crate) now: Timestamp,
    chance: Chance,
    /// What the execution asked for and nobody has done yet.
    effects: VecDeque<Effect>,
    history: Vec<HistoryEvent>,
}

/// A call that the execution has made.
pub(crate) struct Invocation {
    pub(crate) attempt: u64,
    pub(crate) resource: Resource,
    pub(crate) arguments: Value,
}

/// The definition of the import machine as a stack would fill it in.
pub(crate) fn import_definition() -> String {
    let values = [
        ("ClusterArn", "arn:aws:ecs:eu-west-1:123456789012:cluster/imports"),
        ("TaskDefinitionArn", "arn:aws:ecs:eu-west-1:123456789012:task-definition/worker:1"),
        ("CapacityProvider", "FARGATE_SPOT"),
        ("SubnetIds", "subnet-1,subnet-2"),
        ("SecurityGroupIds", "sg-1"),
        ("AssignPublicIp", "DISABLED"),
        ("HoldSeconds", "43200"),
        ("RunTimeoutSeconds", &RUN_TIMEOUT_SECONDS.to_string()),
        ("HeartbeatSeconds", &HEARTBEAT_SECONDS.to_string()),
    ];
    substitute(IMPORT_DEFINITION, &values).unwrap()
}

pub(crate) fn dead_letter_definition() -> String {
    substitute(DEAD_LETTER_DEFINITION, &[("DeadLetterQueueUrl", "http://q/dead")]).unwrap()
}

/// The input that the Lambda gives an import.
pub(crate) fn import_input() -> Value {
    json!({"import": {"import_id": "p-1", "table": "people", "source": "s3://b/k.csv"}, "message": message()})
}

pub(crate) fn message() -> Value {
    json!({"id": "m-1", "body": "{\"import_id\":\"p-1\"}", "receipt_handle": "handle-1", "queue_url": "http://q/imports"})
}

pub(crate) fn report() -> Value {
    json!({"id": "p-1", "kind": "import", "outcome": "DONE", "attempt": 1, "elapsed_ms": 7, "result": {"table": "people", "rows": 3, "rejects": 0, "bytes": 40}})
}

/// What RunTask answers, as Step Functions shows it.
pub(crate) fn envelope(task: &str) -> Value {
    json!({"Tasks": [{"TaskArn": task, "ClusterArn": "cluster"}], "Failures": []})
}

impl Run {
    /// Starts an execution.
    pub(crate) fn start(definition: &str, input: Value) -> Self {
        let identity = Identity {
            arn: "arn:aws:states:eu-west-1:123456789012:execution:import:e-1".to_owned(),
            name: "e-1".to_owned(),
            machine_arn: "arn:aws:states:eu-west-1:123456789012:stateMachine:import".to_owned(),
            machine_name: "import".to_owned(),
            role_arn: "arn:aws:iam::123456789012:role/import".to_owned(),
            region: "eu-west-1".to_owned(),
        };
        let mut run = Self {
            definition: Definition::parse(definition).unwrap(),
            execution: Execution::new(identity, input, START),
            now: START,
            chance: Chance::from_seed([42; 32]),
            effects: VecDeque::new(),
            history: Vec::new(),
        };
        run.send(Event::Start);
        run
    }

    /// An import whose message is held and whose container is asked for.
    pub(crate) fn import_at_run_task() -> (Self, Invocation) {
        let mut run = Self::start(&import_definition(), import_input());
        let hold = run.invocation();
        assert_eq!(hold.resource, Resource::SqsChangeMessageVisibility);
        run.succeed(&hold, json!({}));
        let run_task = run.invocation();
        assert_eq!(run_task.resource, Resource::EcsRunTaskSync);
        (run, run_task)
    }

    /// An import whose container runs; also its token.
    pub(crate) fn import_at_work() -> (Self, Invocation, String) {
        let (mut run, run_task) = Self::import_at_run_task();
        run.submit(&run_task, "task-1");
        let token = run.token();
        (run, run_task, token)
    }

    /// Lets an event happen. The execution is written and read between any two steps, as on disk.
    pub(crate) fn send(&mut self, event: Event) -> Option<Refused> {
        let input = std::mem::take(&mut self.execution.input);
        self.execution = serde_json::from_str(&serde_json::to_string(&self.execution).unwrap()).unwrap();
        self.execution.input = input;
        let step = self.execution.step(&self.definition, self.now, &mut self.chance, event);
        self.effects.extend(step.effects);
        self.history.extend(step.history);
        step.refused
    }

    /// Lets time pass, waking the execution whenever it asks for it.
    pub(crate) fn pass(&mut self, seconds: f64) {
        let end = self.now.plus_millis((seconds * 1000.0).round() as u64);
        while let Some(due) = self.execution.next_deadline().filter(|due| *due <= end) {
            self.now = self.now.max(due);
            self.send(Event::Wake);
        }
        self.now = end;
    }

    /// The call that the execution has made; there must be no other effect before it but changes of status.
    pub(crate) fn invocation(&mut self) -> Invocation {
        loop {
            match self.effects.pop_front() {
                Some(Effect::Invoke { attempt, resource, arguments }) => {
                    return Invocation { attempt, resource, arguments };
                }
                Some(Effect::StatusChanged(_)) => {}
                Some(Effect::Watch { .. }) => panic!("a job is to be watched before a call is made"),
                Some(Effect::Cancel { .. }) => panic!("a job is to be stopped before a call is made"),
                None => panic!("the execution has made no call; it is in {:?}", self.execution.state_name()),
            }
        }
    }

    /// How many seconds the execution waits before it calls again; `None` where it has called, or has ended.
    pub(crate) fn pause(&self) -> Option<f64> {
        let has_called = self.effects.iter().any(|effect| matches!(effect, Effect::Invoke { .. }));
        let until = self.execution.next_deadline().filter(|_| !has_called)?;
        Some((until.millis() - self.now.millis()) as f64 / 1000.0)
    }

    /// The jobs that are to be stopped, by their tasks' ARNs, and nothing else to be done before them.
    pub(crate) fn cancelled(&mut self) -> Vec<String> {
        let mut cancelled = Vec::new();
        while let Some(Effect::Cancel { submitted, .. }) = self.effects.front() {
            cancelled.push(submitted["Tasks"][0]["TaskArn"].as_str().unwrap().to_owned());
            self.effects.pop_front();
        }
        cancelled
    }

    /// Nothing is to be done any more; gives the changes of status since one was last asked for.
    pub(crate) fn statuses(&mut self) -> Vec<Status> {
        let status = |effect| match effect {
            Effect::StatusChanged(status) => status,
            _ => panic!("something is left to be done in {:?}", self.execution.state_name()),
        };
        self.effects.drain(..).map(status).collect()
    }

    /// RunTask answers, and the execution watches the task.
    pub(crate) fn submit(&mut self, invocation: &Invocation, task: &str) {
        self.send(Event::Submitted { attempt: invocation.attempt, output: envelope(task) });
        match self.effects.pop_front() {
            Some(Effect::Watch { attempt, .. }) => assert_eq!(attempt, invocation.attempt),
            _ => panic!("the task is not watched"),
        }
    }

    pub(crate) fn succeed(&mut self, invocation: &Invocation, output: Value) {
        self.send(Event::Succeeded { attempt: invocation.attempt, output });
    }

    pub(crate) fn fail(&mut self, invocation: &Invocation, error: &str, cause: &str) {
        self.send(Event::Failed { attempt: invocation.attempt, failure: Failure::new(error, cause) });
    }

    pub(crate) fn report(&mut self, token: &str, output: Value) -> Option<Refused> {
        self.send(Event::TokenSuccess { token: token.to_owned(), output })
    }

    pub(crate) fn report_failure(&mut self, token: &str, error: &str, cause: &str) -> Option<Refused> {
        self.send(Event::TokenFailure { token: token.to_owned(), failure: Failure::new(error, cause) })
    }

    pub(crate) fn beat(&mut self, token: &str) -> Option<Refused> {
        self.send(Event::Heartbeat { token: token.to_owned() })
    }

    /// The token of the attempt at work.
    pub(crate) fn token(&self) -> String {
        self.execution.token().unwrap().to_owned()
    }

    /// The types of the events since the last of this type, that one not included; all of them for "".
    pub(crate) fn events_after(&self, event_type: &str) -> Vec<&str> {
        let types: Vec<&str> = self.history.iter().map(|event| event.event_type.as_str()).collect();
        let from = types.iter().rposition(|known| *known == event_type).map_or(0, |place| place + 1);
        types[from..].to_vec()
    }

    /// The details of the last event of this type.
    pub(crate) fn details(&self, event_type: &str) -> &Value {
        let event = self.history.iter().rfind(|event| event.event_type == event_type).unwrap();
        &event.details.as_ref().unwrap().1
    }

    /// The whole history as text.
    pub(crate) fn history_text(&self) -> String {
        let details = |event: &HistoryEvent| event.details.as_ref().map(|(_, value)| value.to_string());
        self.history.iter().filter_map(details).collect()
    }

    pub(crate) fn history(&self) -> &[HistoryEvent] {
        &self.history
    }
}
