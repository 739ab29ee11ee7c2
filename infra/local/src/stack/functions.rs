//! The functions of a stack, each fed from its queue: the one that starts imports and, where they are capped, the one before
//! it that parts messages among the lanes.

use std::path::Path;
use std::sync::Arc;

use super::seconds;
use crate::config::Config;
use crate::credentials::Credentials;
use crate::lambda::{EventSource, EventSourceMapping, Fed, FunctionConfig, Functions, Lambda};
use crate::process::BaseEnvironment;
use crate::resources::{self, ACCOUNT, QueueNames, REGION, Resources};
use crate::sqs::Sqs;
use crate::wiring;

/// What every function is made from.
pub(super) struct Origin<'a> {
    pub(super) config: &'a Config,
    pub(super) endpoint: &'a str,
    pub(super) credentials: &'a Credentials,
    pub(super) base: BaseEnvironment,
}

impl Origin<'_> {
    /// Starts to feed them; in a stack at rest they are there and get nothing.
    pub(super) fn start(
        self,
        resources: &Resources,
        queues: QueueNames,
        logs: &Path,
        sqs: &Arc<Sqs>,
    ) -> Functions {
        let limits = &self.config.limits;
        let hold_seconds = seconds(limits.hold).max(1).to_string();
        let start_import = self.function(
            resources::START_IMPORT,
            logs,
            &[
                ("STATE_MACHINE_ARN", &resources.import_state_machine_arn),
                ("DEAD_LETTER_STATE_MACHINE_ARN", &resources.dead_letter_state_machine_arn),
                ("QUEUE_URL", resources.import_queue_url()),
                ("LANES", if queues.lanes.is_some() { "true" } else { "false" }),
                ("HOLD_SECONDS", &hold_seconds),
                ("METRICS_NAMESPACE", resources::METRICS_NAMESPACE),
            ],
        );
        let batch_size = if queues.lanes.is_some() { 1 } else { limits.batch_size };
        let mut functions = vec![self.fed(start_import, queues.imports(), batch_size, sqs)];
        if let Some(url) = &resources.lane_queue_url {
            let maximum_imports = self.config.maximum_imports.to_string();
            let assign_lane = self.function(
                resources::ASSIGN_LANE,
                logs,
                &[("LANE_QUEUE_URL", url), ("MAXIMUM_IMPORTS", &maximum_imports)],
            );
            functions.push(self.fed(assign_lane, queues.sent_to, limits.batch_size, sqs));
        }
        Functions::new(functions)
    }

    fn function(&self, name: &str, logs: &Path, own: &[(&str, &str)]) -> Arc<Lambda> {
        let Self { config, endpoint, credentials, base } = self;
        let own = own.iter().copied().chain([("AWS_ENDPOINT_URL", *endpoint)]);
        let mut environment: Vec<_> = own.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        environment.extend(config.function_environment.iter().cloned());
        let command = if name == resources::ASSIGN_LANE { &config.assign_lane } else { &config.start_import };
        Lambda::open(FunctionConfig {
            name: name.to_owned(),
            command: command.clone(),
            environment,
            base: base.clone(),
            timeout: config.limits.function_timeout,
            memory_megabytes: 128,
            region: REGION.to_owned(),
            account: ACCOUNT.to_owned(),
            credentials: (*credentials).clone(),
            log: logs.join(format!("{name}.log")),
        })
    }

    fn fed(&self, function: Arc<Lambda>, queue: &str, batch_size: u8, sqs: &Arc<Sqs>) -> Fed {
        let source = EventSource {
            queue_url: sqs.queue_url(queue),
            queue_arn: resources::queue_arn(queue),
            region: REGION.to_owned(),
            batch_size,
        };
        let feed = if self.config.moving { EventSourceMapping::start } else { EventSourceMapping::disabled };
        let mapping = feed(source, Arc::clone(&function), wiring::sqs(sqs));
        Fed { function, mapping }
    }
}
