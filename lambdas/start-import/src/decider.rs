//! Decides on one message: starts its execution, or finds out what has become of the one that it has. Whatever fails here
//! concerns this message alone, and errs on the side of keeping it.

use aws_sdk_sfn::types::ExecutionStatus;
use lambda_shared::name_of;
use logging::{About, import_span};
use statemachine::{Body, ExecutionInput, Message, TraceHeader, parse_body};
use tracing::{Instrument as _, info};

use crate::config::Config;
use crate::decision::Decision;

/// The header of a request that carries a trace.
const TRACE_HEADER: &str = "x-amzn-trace-id";

/// Who decides on messages: its clients, and what it knows of machines and queue.
#[derive(Debug)]
pub(crate) struct Decider {
    pub(crate) sfn: aws_sdk_sfn::Client,
    pub(crate) sqs: aws_sdk_sqs::Client,
    pub(crate) config: Config,
}

impl Decider {
    /// Decides on one message, and writes its line into the log.
    pub(crate) async fn decide(&self, message: Message) -> Decision {
        // In a lane the one that its sender knows, as in the lines of the function before and of the worker after this one.
        let (message_id, trace_header) = (message.sent_id().to_owned(), message.trace_header.clone());
        let receipt_handle = message.receipt_handle.clone();
        let input = match parse_body(&message.body) {
            Ok(Body::Import(import)) => Some(ExecutionInput::of_import(import, message)),
            Ok(Body::S3TestEvent) => None,
            Err(invalid) => Some(ExecutionInput::of_invalid(invalid, message)),
        };
        let name = input.as_ref().map(|input| String::from(input.name()));
        let execution_arn = name.as_deref().map(|name| self.config.state_machine_arn.execution(name));
        let import = input.as_ref().and_then(|input| input.import.as_ref());
        let span = import_span(&About {
            import_id: import.map(|import| import.import_id.as_str()),
            execution: execution_arn.as_deref(),
            message_id: Some(&message_id),
            trace_id: trace_header.as_ref().map(TraceHeader::trace_id),
        });
        async {
            let (decision, why) = match (name, input.map(|input| input.to_json())) {
                (Some(name), Some(Ok(json))) => {
                    self.start(&name, json, &receipt_handle, trace_header.as_ref()).await
                }
                (_, Some(Err(too_large))) => (Decision::Left, too_large.to_string()),
                _ => (Decision::Acknowledged, "S3 tests a new notification".to_owned()),
            };
            info!(decision = %decision, "Message {message_id} is {decision}: {why}");
            decision
        }
        .instrument(span)
        .await
    }

    async fn start(
        &self,
        name: &str,
        input: String,
        receipt_handle: &str,
        trace_header: Option<&TraceHeader>,
    ) -> (Decision, String) {
        let machine = self.config.state_machine_arn.as_str();
        let start = self.sfn.start_execution().state_machine_arn(machine).name(name).input(input);
        let header = trace_header.map(ToString::to_string);
        // Step Functions prefers the header of the request, and the SDK would set the invocation's there.
        let start = start.set_trace_header(header.clone()).customize().mutate_request(move |request| {
            if let Some(header) = &header {
                request.headers_mut().insert(TRACE_HEADER, header.clone());
            }
        });
        match start.send().await {
            Ok(_) => (Decision::Started, "its execution runs".to_owned()),
            Err(error) if error.as_service_error().is_some_and(|e| e.is_execution_already_exists()) => {
                self.known(name, receipt_handle).await
            }
            Err(error) => (Decision::Left, format!("StartExecution failed: {}", name_of(&error))),
        }
    }

    /// The message was here before: what its execution has come to decides.
    async fn known(&self, name: &str, receipt_handle: &str) -> (Decision, String) {
        let execution_arn = self.config.state_machine_arn.execution(name);
        let execution = match self.sfn.describe_execution().execution_arn(execution_arn).send().await {
            Ok(execution) => execution,
            Err(error) => return (Decision::Left, format!("DescribeExecution failed: {}", name_of(&error))),
        };
        let status = execution.status();
        let (decision, then) = match status {
            ExecutionStatus::Running | ExecutionStatus::PendingRedrive => {
                (Decision::Held, self.hold(receipt_handle).await)
            }
            ExecutionStatus::Succeeded => (Decision::Acknowledged, String::new()),
            _ => self.settled(name).await,
        };
        (decision, format!("its execution is {status}{then}", status = status.as_str()))
    }

    /// Hides the message for as long as the execution would have: it has come back all the same, and would come back
    /// until its receives are used up. Without this it stays hidden for the queue's visibility timeout only.
    async fn hold(&self, receipt_handle: &str) -> String {
        let hidden = self
            .sqs
            .change_message_visibility()
            .queue_url(&self.config.queue_url)
            .receipt_handle(receipt_handle)
            .visibility_timeout(self.config.hold_seconds)
            .send();
        match hidden.await {
            Ok(_) => String::new(),
            Err(error) => format!(", and it is hidden for a short time only: {}", name_of(&error)),
        }
    }

    /// The execution failed. The settling execution, which has its name, tells whether a copy of the message is in the
    /// dead-letter queue. If there is none, the event was lost: the queue's own redrive policy sees to the message.
    async fn settled(&self, name: &str) -> (Decision, String) {
        let settling_arn = self.config.dead_letter_state_machine_arn.execution(name);
        let settling = match self.sfn.describe_execution().execution_arn(settling_arn).send().await {
            Ok(settling) => settling,
            Err(error) if error.as_service_error().is_some_and(|e| e.is_execution_does_not_exist()) => {
                return (Decision::Left, ", and nothing has settled it".to_owned());
            }
            Err(error) => {
                return (Decision::Left, format!("; DescribeExecution failed: {}", name_of(&error)));
            }
        };
        let status = settling.status();
        let decision = match status {
            ExecutionStatus::Running | ExecutionStatus::PendingRedrive => Decision::Held,
            ExecutionStatus::Succeeded => Decision::Acknowledged,
            _ => Decision::Left,
        };
        (decision, format!(", the settling one {}", status.as_str()))
    }
}

/// Says in the log that a message was not looked at, because an earlier one of its group stays in the queue.
pub(crate) fn leave_behind(message: &Message) -> Decision {
    let (message_id, decision) = (&message.id, Decision::Left);
    let trace_id = message.trace_header.as_ref().map(TraceHeader::trace_id);
    import_span(&About { message_id: Some(message_id), trace_id, ..About::default() }).in_scope(|| {
        info!(
            decision = %decision,
            "Message {message_id} is {decision}: an earlier message of its group stays in the queue"
        );
    });
    decision
}
