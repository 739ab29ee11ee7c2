//! The Lambda's process: configuration, log, client, and then the runtime's loop around [`AssignLane::handle`].

use std::process::ExitCode;

use assign_lane::{AssignLane, aws, config::Config};
use aws_lambda_events::event::sqs::SqsEvent;
use lambda_runtime::{LambdaEvent, service_fn};
use logging::{Format, Settings};

#[tokio::main]
async fn main() -> ExitCode {
    let config = Config::from_env();
    let filter = config.as_ref().map_or("info", |config| &config.log_filter).to_owned();
    logging::start(&Settings { format: Format::Json, filter, namespace: None });
    let config = match config {
        Ok(config) => config,
        Err(error) => {
            tracing::error!("The configuration is wrong: {error}");
            return ExitCode::FAILURE;
        }
    };
    let function = AssignLane::new(aws_sdk_sqs::Client::new(&aws::loader().load().await), config);
    let handler = service_fn(|event: LambdaEvent<SqsEvent>| function.handle(event.payload));
    if let Err(error) = lambda_runtime::run(handler).await {
        tracing::error!("The Lambda runtime failed: {error}");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}
