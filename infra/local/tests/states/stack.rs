//! Step Functions on a directory of its own, with services that do as the test says.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use local_stack::states::Services;
use local_stack::states::{States, definition};
use local_stack::wire::Answer;
use local_stack::wire::AwsError;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::{mpsc, watch};

use crate::core::{dead_letter_definition, import_definition};

/// How long a test waits for what must come.
const PATIENCE: Duration = Duration::from_secs(20);

type Script = Arc<dyn Fn(&str, &Value) -> Option<Result<Value, AwsError>> + Send + Sync>;

/// The services' side: what was called, and what is answered.
#[derive(Clone)]
pub(crate) struct World {
    calls: watch::Sender<Vec<(String, Value)>>,
    /// The tasks that have stopped.
    stopped: watch::Sender<HashMap<String, Value>>,
    /// Answers in the place of the usual ones; `None` never answers.
    script: Arc<Mutex<HashMap<String, Script>>>,
}

pub(crate) struct Stack {
    pub(crate) states: Arc<States>,
    pub(crate) world: World,
    events: mpsc::UnboundedReceiver<Value>,
    pub(crate) import: String,
    pub(crate) dead_letter: String,
    dir: TempDir,
}

impl World {
    fn new() -> Self {
        Self { calls: watch::Sender::default(), stopped: watch::Sender::default(), script: Arc::default() }
    }

    /// Has an operation answered by `script`; `None` from it never answers.
    pub(crate) fn script(
        &self,
        operation: &str,
        script: impl Fn(&Value) -> Option<Result<Value, AwsError>> + Send + Sync + 'static,
    ) {
        let script: Script = Arc::new(move |_, request| script(request));
        self.script.lock().unwrap().insert(operation.to_owned(), script);
    }

    /// The `n`th call of an operation, counted from 1, once it is made.
    pub(crate) async fn call(&self, operation: &str, n: usize) -> Value {
        let mut calls = self.calls.subscribe();
        let of = |calls: &Vec<(String, Value)>| {
            calls.iter().filter(|(name, _)| name == operation).nth(n - 1).map(|(_, request)| request.clone())
        };
        let made = tokio::time::timeout(PATIENCE, calls.wait_for(|calls| of(calls).is_some())).await;
        let Ok(made) = made else { panic!("{operation} was not called {n} times: {:?}", self.names()) };
        of(&made.unwrap()).unwrap()
    }

    /// How often an operation was called.
    pub(crate) fn count(&self, operation: &str) -> usize {
        self.names().iter().filter(|name| *name == operation).count()
    }

    fn names(&self) -> Vec<String> {
        self.calls.borrow().iter().map(|(name, _)| name.clone()).collect()
    }

    /// Lets a task stop.
    pub(crate) fn stop(&self, task_arn: &str, containers: &Value) {
        let task = json!({"taskArn": task_arn, "lastStatus": "STOPPED", "stoppedAt": 1.5,
            "stoppedReason": "Essential container in task exited", "containers": containers});
        self.stopped.send_modify(|stopped| {
            stopped.insert(task_arn.to_owned(), task);
        });
    }

    fn answer(&self, operation: &'static str, request: Value) -> Answer {
        let script = self.script.lock().unwrap().get(operation).cloned();
        let scripted = script.map(|script| script(operation, &request));
        self.calls.send_modify(|calls| calls.push((operation.to_owned(), request)));
        let tasks = self.count("RunTask");
        Box::pin(async move {
            match scripted {
                Some(Some(answer)) => answer,
                Some(None) => std::future::pending().await,
                None if operation == "RunTask" => {
                    let task = json!({"taskArn": format!("task-{tasks}"), "clusterArn": "cluster-1", "createdAt": 2.25});
                    Ok(json!({"tasks": [task], "failures": []}))
                }
                None => Ok(json!({})),
            }
        })
    }

    fn services(&self) -> Services {
        let (sqs, ecs, tasks) = (self.clone(), self.clone(), self.clone());
        Services {
            sqs: Arc::new(move |operation, request| sqs.answer(operation, request)),
            ecs: Arc::new(move |operation, request| ecs.answer(operation, request)),
            ecs_stopped: Arc::new(move |arn| {
                let mut stopped = tasks.stopped.subscribe();
                tasks.calls.send_modify(|calls| calls.push(("wait".to_owned(), arn.clone().into())));
                Box::pin(async move {
                    let stopped = stopped.wait_for(|stopped| stopped.contains_key(&arn)).await.unwrap();
                    Ok(stopped[&arn].clone())
                })
            }),
        }
    }
}

impl Stack {
    pub(crate) fn new() -> Self {
        Self::open(tempfile::tempdir().unwrap(), World::new())
    }

    fn open(dir: TempDir, world: World) -> Self {
        let states = States::open(dir.path(), "eu-west-1", "123456789012", world.services()).unwrap();
        let import = states.create_state_machine("import", &import_definition()).unwrap();
        let dead_letter = states.create_state_machine("dead-letter", &dead_letter_definition()).unwrap();
        let (sender, events) = mpsc::unbounded_channel();
        // Nobody listens any more once the test is over.
        states.on_status_change(Box::new(move |event| drop(sender.send(event))));
        states.resume().unwrap();
        Self { states, world, events, import, dead_letter, dir }
    }

    /// The process dies, and another one opens what it left behind. `meanwhile` happens between the two.
    pub(crate) fn restart(self, meanwhile: impl FnOnce(&World)) -> Self {
        let Self { states, world, dir, .. } = self;
        assert_eq!(Arc::strong_count(&states), 1, "nothing keeps a dropped instance alive");
        drop(states);
        world.calls.send_modify(Vec::clear);
        meanwhile(&world);
        Self::open(dir, world)
    }

    pub(crate) async fn call(&self, operation: &str, body: Value) -> Value {
        match self.states.call(operation, body).await {
            Ok(answer) => answer,
            Err(error) => panic!("{operation} failed: {error}"),
        }
    }

    /// The error's name and message.
    pub(crate) async fn refusal(&self, operation: &str, body: Value) -> (String, String) {
        match self.states.call(operation, body).await {
            Err(error) => (error.code, error.message),
            Ok(answer) => panic!("{operation} gave {answer}"),
        }
    }

    pub(crate) async fn refused_as(&self, operation: &str, body: Value) -> String {
        self.refusal(operation, body).await.0
    }

    /// Creates a machine of one state `S`, and `Done`.
    pub(crate) fn machine(&self, name: &str, state: &Value) -> String {
        let states = json!({"S": state, "Done": {"Type": "Succeed"}});
        let definition = json!({"QueryLanguage": "JSONata", "StartAt": "S", "States": states}).to_string();
        self.states.create_state_machine(name, &definition).unwrap()
    }

    pub(crate) async fn start(&self, machine: &str, name: &str, input: &Value) -> String {
        let request = json!({"stateMachineArn": machine, "name": name, "input": input.to_string()});
        let answer = self.call("StartExecution", request).await;
        answer["executionArn"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn describe(&self, arn: &str) -> Value {
        self.call("DescribeExecution", json!({"executionArn": arn})).await
    }

    pub(crate) async fn history(&self, arn: &str) -> Vec<Value> {
        let answer = self.call("GetExecutionHistory", json!({"executionArn": arn})).await;
        answer["events"].as_array().unwrap().clone()
    }

    /// The event of the next change of an execution's status to this one.
    pub(crate) async fn event(&mut self, arn: &str, status: &str) -> Value {
        let wanted =
            |event: &Value| event["detail"]["executionArn"] == arn && event["detail"]["status"] == status;
        let next = async {
            loop {
                match self.events.recv().await {
                    Some(event) if wanted(&event) => return event,
                    Some(_) => {}
                    None => panic!("the events have ended"),
                }
            }
        };
        match tokio::time::timeout(PATIENCE, next).await {
            Ok(event) => event,
            Err(_) => panic!("{arn} is not {status}: {}", self.describe(arn).await),
        }
    }

    /// The token that the `n`th container was given, once its task is watched.
    pub(crate) async fn token(&self, n: usize) -> String {
        let request = self.world.call("RunTask", n).await;
        self.world.call("wait", n).await;
        token_in(&request)
    }
}

/// The token in a request of RunTask.
pub(crate) fn token_in(request: &Value) -> String {
    let environment = &request["overrides"]["containerOverrides"][0]["environment"];
    environment[0]["value"].as_str().unwrap().to_owned()
}

/// An error of a service.
pub(crate) fn error(code: &str, message: &str) -> AwsError {
    AwsError { code: code.to_owned(), message: message.to_owned(), status: 400 }
}

#[tokio::test]
async fn a_definition_that_is_not_taken_creates_no_machine() {
    let stack = Stack::new();
    let error = stack.states.create_state_machine("other", "{}").unwrap_err();
    assert!(
        format!("{error:#}")
            .contains("the state machine other cannot be run: state machine: field QueryLanguage")
    );
    assert!(stack.states.create_state_machine("no name", &dead_letter_definition()).is_err());
    let error = definition::substitute("${A}", &[]).unwrap_err();
    assert_eq!(error.to_string(), "the definition asks for substitutions that are not given: A");
}
