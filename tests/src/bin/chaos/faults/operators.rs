//! What people and SQS do at the wrong moment: stop, repeat, show again, redrive, move back. Each is an ordinary call of
//! AWS's API, and each may fail because the stack is down.

use aws_sdk_sfn::types::{ExecutionListItem, ExecutionStatus};
use serde_json::Value;

use super::Moment;
use crate::world::World;

impl Moment<'_> {
    pub(super) async fn stop_execution(mut self) -> Option<()> {
        let execution = self.execution(ExecutionStatus::Running).await?;
        let stop = self.world.sfn.stop_execution().execution_arn(execution.execution_arn);
        stop.error("Operator").cause("enough").send().await.ok().map(drop)
    }

    pub(super) async fn redrive_execution(mut self) -> Option<()> {
        let statuses = [ExecutionStatus::Failed, ExecutionStatus::Aborted, ExecutionStatus::TimedOut];
        let status = self.random.choice(statuses)?;
        let execution = self.execution(status).await?;
        let redrive = self.world.sfn.redrive_execution().execution_arn(execution.execution_arn);
        redrive.send().await.ok().map(drop)
    }

    pub(super) async fn duplicate_message(self) -> bool {
        let Some(import) = self.random.choice(self.imports) else { return false };
        // One that has not been sent yet would come before its file.
        let is_known = self.world.executions(&self.world.resources.import_state_machine_arn, None).await;
        let prefix = format!("{}-", import.id);
        let is_known = is_known.is_some_and(|known| known.iter().any(|one| one.name.starts_with(&prefix)));
        is_known && send(self.world, &import.body(&self.world.resources.bucket)).await
    }

    /// Makes the message of a running execution visible in the midst of it.
    pub(super) async fn show_message(mut self) -> Option<()> {
        let execution = self.execution(ExecutionStatus::Running).await?;
        let described =
            self.world.sfn.describe_execution().execution_arn(execution.execution_arn).send().await;
        let input: Value = serde_json::from_str(described.ok()?.input()?).ok()?;
        let handle = input["message"]["receipt_handle"].as_str()?.to_owned();
        let queue = self.world.resources.import_queue_url();
        let show = self.world.sqs.change_message_visibility().queue_url(queue).receipt_handle(handle);
        show.visibility_timeout(0).send().await.ok().map(drop)
    }

    /// Sends a dead letter to the queue again, and deletes it then.
    pub(super) async fn move_dead_letter(self) -> Option<()> {
        let letters = &self.world.resources.dead_letter_queue_url;
        let receive = self.world.sqs.receive_message().queue_url(letters).visibility_timeout(5);
        let letter = receive.send().await.ok()?.messages?.pop()?;
        if !send(self.world, letter.body()?).await {
            return None;
        }
        let delete = self.world.sqs.delete_message().queue_url(letters);
        delete.receipt_handle(letter.receipt_handle()?).send().await.ok().map(drop)
    }

    async fn execution(&mut self, status: ExecutionStatus) -> Option<ExecutionListItem> {
        let machine = &self.world.resources.import_state_machine_arn;
        let executions = self.world.executions(machine, Some(status)).await?;
        self.random.choice(executions)
    }
}

/// Sends a message to the queue of imports; whether SQS has it for certain.
pub(crate) async fn send(world: &World, body: &str) -> bool {
    world.sqs.send_message().queue_url(&world.resources.queue_url).message_body(body).send().await.is_ok()
}
