//! Faults have stopped: everything comes to rest, what failed is redriven, and comes to rest again.

use std::time::Duration;

use aws_sdk_sfn::types::ExecutionStatus;
use aws_sdk_sqs::types::{Message, QueueAttributeName};
use e2e::wait;

use crate::faults;
use crate::plan::{Import, Kind};
use crate::world::World;

/// How long retries, leases, and messages that are hidden may take: a retry of the database waits up to a minute after
/// bad luck, and then a message its time.
const PATIENCE: Duration = Duration::from_secs(240);

/// What is still on its way.
#[derive(Debug, PartialEq, Eq)]
struct Unsettled {
    messages: u64,
    executions: usize,
    workers: usize,
}

/// Waits for rest, redrives every execution that failed, and waits again. What did not come to rest.
pub(crate) async fn settle(world: &World, imports: &[Import]) -> Vec<String> {
    faults::mend(world);
    // It may be recovering still from a crash.
    let look = async || world.database.connect().is_ok();
    wait::until("the database to be back", look, |is_back| *is_back).await;
    let mut findings: Vec<_> = at_rest(world).await.err().into_iter().collect();
    for status in [ExecutionStatus::Failed, ExecutionStatus::Aborted, ExecutionStatus::TimedOut] {
        let machine = &world.resources.import_state_machine_arn;
        for execution in world.executions(machine, Some(status)).await.expect("the stack answers") {
            // Noise has no task to go on with.
            let is_import = |import: &Import| {
                import.kind != Kind::Noise && execution.name.starts_with(&format!("{}-", import.id))
            };
            if !imports.iter().any(is_import) {
                continue;
            }
            let redrive = world.sfn.redrive_execution().execution_arn(&execution.execution_arn);
            if let Err(error) = redrive.send().await {
                let error = error.into_service_error();
                findings.push(format!("{} cannot be redriven: {error:?}", execution.name));
            }
        }
    }
    findings.extend(at_rest(world).await.err());
    findings
}

/// How many imports are open or, where they wait for a lane, asked for; `None` where the stack does not answer.
pub(crate) async fn asked_for(world: &World) -> Option<usize> {
    match world.resources.lane_queue_url {
        Some(_) => usize::try_from(messages(world).await?).ok(),
        None => world.open_imports().await,
    }
}

/// Whether an import is open, or a message about to ask for one; `None` where the stack does not answer.
pub(crate) async fn is_busy(world: &World) -> Option<bool> {
    Some(world.open_imports().await? > 0 || messages(world).await? > 0)
}

async fn at_rest(world: &World) -> Result<(), String> {
    let unsettled = wait::within(
        PATIENCE,
        async || unsettled(world).await,
        |left| *left == Unsettled { messages: 0, executions: 0, workers: 0 },
    );
    unsettled.await.map(drop).map_err(|left| format!("not at rest after {PATIENCE:?}: {left:?}"))
}

async fn unsettled(world: &World) -> Unsettled {
    let resources = &world.resources;
    let mut executions = 0;
    for machine in [&resources.import_state_machine_arn, &resources.dead_letter_state_machine_arn] {
        let open = world.executions(machine, Some(ExecutionStatus::Running)).await;
        executions += open.expect("the stack answers").len();
    }
    Unsettled {
        messages: messages(world).await.expect("the stack answers"),
        executions,
        workers: world.workers().len(),
    }
}

/// How many messages ask for imports, hidden or not; `None` where the stack does not answer.
async fn messages(world: &World) -> Option<u64> {
    let resources = &world.resources;
    let mut count = 0;
    for queue in [Some(&resources.queue_url), resources.lane_queue_url.as_ref()].into_iter().flatten() {
        count += messages_in(world, queue).await?;
    }
    Some(count)
}

async fn messages_in(world: &World, queue_url: &str) -> Option<u64> {
    use QueueAttributeName::{
        ApproximateNumberOfMessages as Visible, ApproximateNumberOfMessagesNotVisible as Hidden,
    };
    let asked = world.sqs.get_queue_attributes().queue_url(queue_url);
    let answer = asked.attribute_names(Visible).attribute_names(Hidden).send().await;
    let attributes = answer.ok()?.attributes.unwrap_or_default();
    Some(attributes.values().map(|count| count.parse::<u64>().expect("a count is a number")).sum())
}

/// All dead letters. They are hidden for a while then, so this is asked once a minute at most.
pub(crate) async fn dead_letters(world: &World) -> Vec<Message> {
    let mut letters = Vec::new();
    loop {
        let receive = world
            .sqs
            .receive_message()
            .queue_url(&world.resources.dead_letter_queue_url)
            .max_number_of_messages(10)
            .visibility_timeout(600)
            .message_attribute_names("All");
        let received = receive.send().await.expect("the stack answers").messages.unwrap_or_default();
        if received.is_empty() {
            return letters;
        }
        letters.extend(received);
    }
}
