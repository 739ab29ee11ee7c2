//! The Lambda's process: the runtime's loop around [`StartImport::handle`].

use std::process::ExitCode;

use aws_lambda_events::event::sqs::SqsEvent;
use lambda_runtime::{LambdaEvent, service_fn};
use start_import::{PATIENCE, StartImport, config::Config};

#[tokio::main]
async fn main() -> ExitCode {
    lambda_shared::run(Config::from_env(), Config::log, async |config| {
        let aws = lambda_shared::loader(PATIENCE).load().await;
        let (sfn, sqs) = (aws_sdk_sfn::Client::new(&aws), aws_sdk_sqs::Client::new(&aws));
        let function = StartImport::new(sfn, sqs, config);
        let handler = service_fn(|event: LambdaEvent<SqsEvent>| {
            // The trace of the invocation is that of messages that bring none.
            let trace_header = event.context.xray_trace_id.and_then(|header| header.parse().ok());
            function.handle(event.payload, trace_header)
        });
        lambda_runtime::run(handler).await
    })
    .await
}
