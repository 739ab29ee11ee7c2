//! An execution environment: a process of the function, and the Runtime API that is this process's alone. So an answer of
//! an earlier process can never be taken for one of this.

use std::time::Duration;

use serde_json::Value;

use super::runtime_api::RuntimeApi;
use super::{FunctionConfig, InvokeError};
use crate::process::{Exit, Process, Program};

pub(super) struct Sandbox {
    process: Process,
    api: RuntimeApi,
}

impl Sandbox {
    pub(super) async fn start(config: &FunctionConfig) -> anyhow::Result<Self> {
        let api = RuntimeApi::start(config.arn()).await?;
        let name = &config.name;
        let reserved = [
            ("AWS_LAMBDA_RUNTIME_API", api.address().to_string()),
            ("AWS_LAMBDA_FUNCTION_NAME", name.clone()),
            ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", config.memory_megabytes.to_string()),
            ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST".to_owned()),
            ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand".to_owned()),
            ("AWS_LAMBDA_LOG_GROUP_NAME", format!("/aws/lambda/{name}")),
            ("AWS_LAMBDA_LOG_STREAM_NAME", "local".to_owned()),
            ("_HANDLER", "bootstrap".to_owned()),
            ("AWS_REGION", config.region.clone()),
            ("AWS_DEFAULT_REGION", config.region.clone()),
            ("AWS_ACCESS_KEY_ID", config.credentials.access_key.clone()),
            ("AWS_SECRET_ACCESS_KEY", config.credentials.secret_key.clone()),
            // The developer's own profile must not change what the function does.
            ("AWS_CONFIG_FILE", "/dev/null".to_owned()),
            ("AWS_SHARED_CREDENTIALS_FILE", "/dev/null".to_owned()),
            ("TZ", ":UTC".to_owned()),
        ];
        let mut environment = config.environment.clone();
        environment.extend(reserved.map(|(name, value)| (name.to_owned(), value)));
        let process = Process::start(Program {
            command: config.command.clone(),
            base: config.base.clone(),
            environment,
            log: config.log.clone(),
        })
        .await?;
        tracing::info!(process.pid = process.pid(), "Started function {name} as process {}", process.pid());
        Ok(Self { process, api })
    }

    pub(super) async fn invoke(&self, payload: String, timeout: Duration) -> Result<Value, InvokeError> {
        tokio::select! {
            biased;
            result = self.api.invoke(payload, timeout) => result,
            exit = self.process.exited() => Err(match self.api.init_error() {
                Some(error) => InvokeError::FunctionError(error),
                None => InvokeError::Died(exit.to_string()),
            }),
        }
    }

    pub(super) fn has_exited(&self) -> bool {
        self.process.has_exited()
    }

    pub(super) async fn stop(&self, grace: Duration) -> Exit {
        self.process.stop(grace).await
    }

    pub(super) async fn kill(&self) -> Exit {
        self.process.kill().await
    }
}
