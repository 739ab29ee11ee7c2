//! The Lambda's process: the runtime's loop around [`AssignLane::handle`].

use std::process::ExitCode;

use assign_lane::{AssignLane, PATIENCE, config::Config};
use aws_lambda_events::event::sqs::SqsEvent;
use lambda_runtime::{LambdaEvent, service_fn};

#[tokio::main]
async fn main() -> ExitCode {
    lambda_shared::run(Config::from_env(), Config::log, async |config| {
        let aws = lambda_shared::loader(PATIENCE).load().await;
        let function = AssignLane::new(aws_sdk_sqs::Client::new(&aws), config);
        lambda_runtime::run(service_fn(|event: LambdaEvent<SqsEvent>| function.handle(event.payload))).await
    })
    .await
}
