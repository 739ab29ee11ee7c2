//! The Lambda's process: configuration, log, client, and then the runtime's loop around [`StartImport::handle`].

use std::process::ExitCode;

use aws_lambda_events::event::sqs::SqsEvent;
use lambda_runtime::{LambdaEvent, service_fn};
use logging::{Format, Settings};
use start_import::{StartImport, aws, config::Config};

#[tokio::main]
async fn main() -> ExitCode {
    let config = Config::from_env();
    let (filter, namespace) = config.as_ref().map_or(("info", None), Config::log);
    logging::start(&Settings {
        format: Format::Json,
        filter: filter.to_owned(),
        namespace: namespace.cloned(),
    });
    let config = match config {
        Ok(config) => config,
        Err(error) => {
            tracing::error!("The configuration is wrong: {error}");
            return ExitCode::FAILURE;
        }
    };
    let aws = aws::loader().load().await;
    let function = StartImport::new(aws_sdk_sfn::Client::new(&aws), aws_sdk_sqs::Client::new(&aws), config);
    let handler = service_fn(|event: LambdaEvent<SqsEvent>| {
        // The trace of the invocation is that of messages that bring none.
        let trace_header = event.context.xray_trace_id.and_then(|header| header.parse().ok());
        function.handle(event.payload, trace_header)
    });
    if let Err(error) = lambda_runtime::run(handler).await {
        tracing::error!("The Lambda runtime failed: {error}");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}
