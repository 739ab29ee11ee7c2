//! What a test does to a stack, by means that AWS has too: calls of Lambda, EventBridge, ECS and SQS; and what it then sees of
//! messages, executions and the function's decisions.

use aws_sdk_sfn::types::{HistoryEvent, HistoryEventType};
use aws_sdk_sqs::types::{Message, QueueAttributeName};
use rustix::process::Pid;
use serde_json::{Value, json};

use crate::{TestStack, http, wait};

impl TestStack {
    /// Lets the function be fed with messages, or not: disables or enables the event source mapping.
    pub async fn feed_function(&self, enabled: bool) {
        let (_, listed) = self.lambda("GET", "/2015-03-31/event-source-mappings/", json!({})).await;
        let uuid = listed["EventSourceMappings"][0]["UUID"].as_str().expect("there is a mapping").to_owned();
        let path = format!("/2015-03-31/event-source-mappings/{uuid}");
        let (status, changed) = self.lambda("PUT", &path, json!({"Enabled": enabled})).await;
        assert_eq!((status, &changed["State"]), (200, &json!(if enabled { "Enabled" } else { "Disabled" })));
    }

    /// Throttles the function: reserves no concurrency for it; or lets it work.
    pub async fn throttle_function(&self, throttled: bool) {
        let path = "/2017-10-31/functions/start-import/concurrency";
        let (method, expected) = if throttled { ("PUT", 200) } else { ("DELETE", 204) };
        let (status, answer) = self.lambda(method, path, json!({"ReservedConcurrentExecutions": 0})).await;
        assert_eq!(status, expected, "{answer}");
    }

    /// Invokes the function; what it answers.
    pub async fn invoke_function(&self, event: Value) -> Value {
        let path = "/2015-03-31/functions/start-import/invocations";
        let (status, answer) = self.lambda("POST", path, event).await;
        assert_eq!(status, 200, "{answer}");
        answer
    }

    /// Disables the rule that carries the status-change events.
    pub async fn lose_events(&self) {
        self.call("AWSEvents.DisableRule", json!({"Name": "import-ended-without-success"})).await;
    }

    /// Takes the worker's task definition away.
    pub async fn deregister_worker(&self) {
        let request = json!({"taskDefinition": "import-worker:1"});
        self.call("AmazonEC2ContainerServiceV20141113.DeregisterTaskDefinition", request).await;
    }

    async fn call(&self, target: &str, body: Value) -> Value {
        let headers = [("authorization", self.authorization()), ("x-amz-target", target.to_owned())];
        let headers = headers.each_ref().map(|(name, value)| (*name, value.as_str()));
        let (status, answer) = http::request(self.endpoint(), "POST", "/", &headers, &body.to_string()).await;
        assert_eq!(status, 200, "{target}: {answer}");
        answer
    }

    async fn lambda(&self, method: &str, path: &str, body: Value) -> (u16, Value) {
        let authorization = self.authorization();
        let headers = [("authorization", authorization.as_str())];
        http::request(self.endpoint(), method, path, &headers, &body.to_string()).await
    }

    fn authorization(&self) -> String {
        let key = &self.credentials().access_key;
        format!(
            "AWS4-HMAC-SHA256 Credential={key}/20261124/eu-west-1/any/aws4_request, SignedHeaders=host, Signature=0"
        )
    }

    /// The processes of the function.
    #[must_use]
    pub fn functions(&self) -> Vec<Pid> {
        self.processes("start-import")
    }

    /// What the function has decided on a message, delivery by delivery.
    #[must_use]
    pub fn decisions(&self, message_id: &str) -> Vec<String> {
        let log = std::fs::read_to_string(self.data_dir().join("stack/logs/start-import.log"));
        let log = log.unwrap_or_default();
        let lines = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let of_message = lines.filter(|line| line["message_id"] == message_id);
        of_message.filter_map(|line| Some(line["decision"].as_str()?.to_owned())).collect()
    }

    /// Waits until the function has decided so on a message, delivery by delivery.
    pub async fn decided(&self, message_id: &str, decisions: &[&str]) {
        let look = async || self.decisions(message_id);
        wait::until("the function's decisions", look, |seen| seen == decisions).await;
    }

    /// Waits until a message that was started, and perhaps held again, is acknowledged.
    pub async fn acknowledged(&self, message_id: &str) {
        let look = async || self.decisions(message_id);
        let seen = wait::until("the message to be acknowledged", look, |seen| {
            seen.last().is_some_and(|last| last == "acknowledged")
        });
        let mut seen = seen.await;
        seen.pop();
        assert!(seen.first().is_some_and(|first| first == "started"), "{seen:?}");
        assert!(seen.iter().skip(1).all(|decision| decision == "held"), "{seen:?}");
    }

    /// The message of an execution, as its input has it.
    pub async fn message_of(&self, execution_arn: &str) -> Value {
        let described = self.sfn.describe_execution().execution_arn(execution_arn).send().await;
        let input = described.expect("the execution is there").input.expect("an execution has an input");
        serde_json::from_str::<Value>(&input).expect("an input is JSON")["message"].clone()
    }

    /// Makes the message of an execution visible, so that it is delivered again at once.
    pub async fn make_visible(&self, execution_arn: &str) {
        let message = self.message_of(execution_arn).await;
        let handle = message["receipt_handle"].as_str().expect("a message has a handle").to_owned();
        let change = self.sqs.change_message_visibility().queue_url(&self.resources.queue_url);
        let change = change.receipt_handle(handle).visibility_timeout(0).send().await;
        change.expect("the handle is that of the last receive");
    }

    /// Hides messages that are received from now on for so many seconds.
    pub async fn set_visibility_timeout(&self, seconds: u32) {
        let set = self.sqs.set_queue_attributes().queue_url(&self.resources.queue_url);
        let set = set.attributes(QueueAttributeName::VisibilityTimeout, seconds.to_string());
        set.send().await.expect("the queue takes its attributes");
    }

    /// Receives a message as another program would, which makes its earlier receipt handle worthless, and hides it for so
    /// many seconds.
    pub async fn receive_elsewhere(&self, visibility_timeout: i32) -> Message {
        let receive = self.sqs.receive_message().queue_url(&self.resources.queue_url);
        let receive = receive.visibility_timeout(visibility_timeout).wait_time_seconds(20);
        let received = receive.send().await.expect("the queue answers").messages;
        received.unwrap_or_default().pop().expect("there is a message")
    }

    /// How many messages of a queue are received and hidden.
    pub async fn hidden_messages(&self, queue_url: &str) -> u64 {
        let asked = self.sqs.get_queue_attributes().queue_url(queue_url);
        let asked = asked.attribute_names(QueueAttributeName::ApproximateNumberOfMessagesNotVisible);
        let attributes = asked.send().await.expect("the queue is there").attributes.unwrap_or_default();
        attributes.values().filter_map(|count| count.parse::<u64>().ok()).sum()
    }

    /// The execution that settles the message of this one.
    #[must_use]
    pub fn settling_arn(&self, execution_arn: &str) -> String {
        let name = execution_arn.rsplit(':').next().unwrap_or_default();
        let machine = &self.resources.dead_letter_state_machine_arn;
        format!("{}:{name}", machine.replacen(":stateMachine:", ":execution:", 1))
    }

    /// The history of an execution; nothing where it has not started.
    pub async fn history(&self, execution_arn: &str) -> Vec<HistoryEvent> {
        let history = self.sfn.get_execution_history().execution_arn(execution_arn);
        history.send().await.map(|history| history.events).unwrap_or_default()
    }

    /// Waits until an execution has entered a state.
    pub async fn entered(&self, execution_arn: &str, state: &str) {
        let look = async || {
            let history = self.history(execution_arn).await;
            let entered = history.into_iter().filter_map(|event| event.state_entered_event_details);
            entered.map(|details| details.name).collect::<Vec<_>>()
        };
        wait::until(state, look, |seen| seen.iter().any(|name| name == state)).await;
    }

    /// The errors of an execution's failed attempts, with their causes.
    pub async fn failures(&self, execution_arn: &str) -> Vec<(String, String)> {
        let failed = |event: HistoryEvent| {
            if event.r#type != HistoryEventType::TaskFailed {
                return None;
            }
            let details = event.task_failed_event_details?;
            Some((details.error.unwrap_or_default(), details.cause.unwrap_or_default()))
        };
        self.history(execution_arn).await.into_iter().filter_map(failed).collect()
    }

    /// How many executions of the import machine there are.
    pub async fn executions(&self) -> usize {
        let machine = &self.resources.import_state_machine_arn;
        let listed = self.sfn.list_executions().state_machine_arn(machine).send().await;
        listed.expect("executions can be listed").executions.len()
    }
}
