//! The process of a function.

use std::process::ExitCode;

use environment::InvalidEnvironment;
use lambda_runtime::Error;
use logging::{Format, Settings};

/// Starts the log as the configuration says, and then the function's loop, which ends with the process. Where the
/// configuration is wrong, all that is wrong with it is in the log, and nothing begins.
pub async fn run<C>(
    config: Result<C, InvalidEnvironment>,
    log: impl FnOnce(&C) -> Settings,
    serve: impl AsyncFnOnce(C) -> Result<(), Error>,
) -> ExitCode {
    let config = match config {
        Ok(config) => {
            logging::start(&log(&config));
            config
        }
        Err(invalid) => {
            logging::start(&Settings { format: Format::Json, filter: "info".to_owned(), namespace: None });
            tracing::error!("The configuration is wrong: {}", invalid.problems().join("; "));
            return ExitCode::FAILURE;
        }
    };
    match serve(config).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("The Lambda runtime failed: {error}");
            ExitCode::FAILURE
        }
    }
}
