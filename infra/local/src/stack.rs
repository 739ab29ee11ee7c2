//! A whole stack: the services, set up and wired as the template does it on AWS, behind one port.

mod database;
mod functions;
mod queues;

use std::fs::DirBuilder;
use std::net::Ipv4Addr;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use serde_json::Value;
use statemachine::{DEAD_LETTER_DEFINITION, IMPORT_DEFINITION};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::config::{Config, base_environment};
use crate::credentials::Credentials;
use crate::ecs::{Ecs, TaskDefinition};
use crate::lambda::Functions;
use crate::logs::Logs;
use crate::resources::{self, ACCOUNT, REGION, Resources};
use crate::rule::Rule;
use crate::session::{Claim, Session};
use crate::states::States;
use crate::states::definition::substitute;
use crate::{housekeeping, router, s3, wiring};

/// How long requests that are under way may take when the stack ends.
const LAST_REQUESTS: Duration = Duration::from_secs(1);

/// A running stack. It ends with [`Stack::shutdown`]; dropped without it, it ends as a killed process would, and loses
/// nothing either.
pub struct Stack {
    session: Session,
    functions: Functions,
    states: Arc<States>,
    ecs: Arc<Ecs>,
    server: JoinHandle<std::io::Result<()>>,
    housekeeping: JoinHandle<()>,
    closing: CancellationToken,
    /// Held to the end: the folder is free when everything else is over.
    _claim: Claim,
}

impl Stack {
    /// Starts a stack on its folder. What lay there goes on.
    ///
    /// # Errors
    /// The folder cannot be written or is in use, the port is taken, or what lies in the folder cannot be read or would be
    /// left lying.
    pub async fn start(config: Config) -> anyhow::Result<Self> {
        let folders = Folders::create(&config.data_dir)?;
        let claim = Claim::take(&config.data_dir).await?;
        let credentials = Credentials::of_folder(&folders.stack)?;
        let listener = listen(config.port).await?;
        let endpoint =
            format!("http://{}", listener.local_addr().context("failed to ask for the stack's address")?);
        let queues = queues::names(&config)?;
        let resources = Resources::embedded(&endpoint, queues);

        let sqs = queues::open(&config, queues, &folders.stack, &endpoint).await?;
        let base = base_environment();
        let ecs = Ecs::open(&folders.stack, REGION, ACCOUNT, base.clone())?;
        ecs.limit_tasks(config.limits.room);
        ecs.register(task_definition(&config, &folders, &endpoint, &credentials));
        let states = States::open(&folders.stack, REGION, ACCOUNT, wiring::task_services(&sqs, &ecs))?;
        database::hold_to(&config, queues, &sqs, &states).await?;
        create_state_machines(&states, &config, &resources)?;
        let objects = s3::Notification::new(REGION, &resources.queue_url, wiring::sqs(&sqs));
        let objects = s3::open(&folders.s3, &credentials, (!config.fifo).then_some(objects))?;
        s3::create_bucket(&folders.s3, &resources.bucket)?;

        let rule = Rule::install(&states, &resources);
        if config.moving {
            states.resume()?;
        } else {
            states.rest();
        }
        let origin =
            functions::Origin { config: &config, endpoint: &endpoint, credentials: &credentials, base };
        let functions = origin.start(&resources, queues, &folders.logs, &sqs);

        let stream_prefix = format!("{}/{}", resources::WORKER_LOG_PREFIX, resources::CONTAINER);
        let logs =
            Logs::new(folders.logs.clone(), REGION, ACCOUNT, &resources.worker_log_group, &stream_prefix);
        let housekeeping = housekeeping::start(Arc::clone(&ecs), Arc::clone(&logs));

        let services = router::Services {
            sqs: wiring::sqs_service(&sqs),
            states: wiring::states_service(&states),
            ecs: wiring::ecs_service(&ecs),
            logs: wiring::logs_service(&logs),
            events: wiring::events_service(&rule),
            lambda: functions.clone(),
            s3: objects,
            access_key: credentials.access_key.clone(),
        };
        let closing = CancellationToken::new();
        let server = tokio::spawn(router::serve(listener, services, closing.clone().cancelled_owned()));
        let session = Session {
            endpoint,
            pid: std::process::id(),
            resources,
            credentials,
            database_url: config.database_url,
            data_dir: config.data_dir.canonicalize().unwrap_or_default(),
            maximum_imports: config.maximum_imports,
            moving: config.moving,
        };
        claim.publish(&session)?;
        Ok(Self { session, functions, states, ecs, server, housekeeping, closing, _claim: claim })
    }

    /// Where the stack answers: `http://127.0.0.1:<port>`, for `AWS_ENDPOINT_URL`.
    #[must_use]
    pub fn endpoint(&self) -> &str {
        &self.session.endpoint
    }

    /// What another program has to know of the stack.
    #[must_use]
    pub fn session(&self) -> Session {
        self.session.clone()
    }

    /// What the stack is made of.
    #[must_use]
    pub fn resources(&self) -> &Resources {
        &self.session.resources
    }

    /// What requests must be signed with.
    #[must_use]
    pub fn credentials(&self) -> &Credentials {
        &self.session.credentials
    }

    /// Ends the stack in good order: no message is taken any more, the batch in hand is settled, executions rest where
    /// they are, workers roll back and say so, and the port is closed last, so that all of them are heard.
    pub async fn shutdown(mut self) {
        self.functions.shutdown().await;
        self.states.rest();
        self.ecs.shutdown().await;
        self.closing.cancel();
        if tokio::time::timeout(LAST_REQUESTS, &mut self.server).await.is_err() {
            // A client that waits for a message that will not come.
            self.server.abort();
        }
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        self.housekeeping.abort();
        self.server.abort();
    }
}

/// Where the stack keeps what.
struct Folders {
    stack: PathBuf,
    s3: PathBuf,
    logs: PathBuf,
}

impl Folders {
    fn create(data_dir: &Path) -> anyhow::Result<Self> {
        let create = |path: &Path| {
            std::fs::create_dir_all(path).with_context(|| {
                format!("failed to create the folder {}; --data-dir names another", path.display())
            })
        };
        create(data_dir)?;
        // Absolute, because children may work in another folder.
        let stack = data_dir
            .canonicalize()
            .with_context(|| format!("failed to resolve the folder {}", data_dir.display()))?
            .join("stack");
        // Task tokens lie in there.
        let owner_only = DirBuilder::new().recursive(true).mode(0o700).create(&stack);
        owner_only.with_context(|| format!("failed to create the folder {}", stack.display()))?;
        let folders = Self { s3: stack.join("s3"), logs: stack.join("logs"), stack };
        create(&folders.s3)?;
        create(&folders.logs)?;
        Ok(folders)
    }
}

async fn listen(port: u16) -> anyhow::Result<TcpListener> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.with_context(|| {
        format!("failed to listen on 127.0.0.1:{port}; --port names another port, --port 0 takes a free one")
    })
}

fn create_state_machines(states: &States, config: &Config, resources: &Resources) -> anyhow::Result<()> {
    let limits = &config.limits;
    let whole = |duration: Duration| duration.as_secs().max(1).to_string();
    let import = substitute(
        IMPORT_DEFINITION,
        &[
            ("ClusterArn", &resources.cluster_arn),
            ("TaskDefinitionArn", &resources::task_definition_arn()),
            ("CapacityProvider", "FARGATE"),
            ("SubnetIds", "subnet-local"),
            ("SecurityGroupIds", "sg-local"),
            ("AssignPublicIp", "DISABLED"),
            ("HoldSeconds", &whole(limits.hold)),
            ("RunTimeoutSeconds", &whole(limits.run_timeout)),
            ("HeartbeatSeconds", &whole(limits.heartbeat)),
        ],
    )?;
    let import = match limits.retry_interval {
        Some(interval) => with_retry_interval(&import, interval)?,
        None => import,
    };
    states.create_state_machine(resources::IMPORT_MACHINE, &import)?;
    let dead_letter =
        substitute(DEAD_LETTER_DEFINITION, &[("DeadLetterQueueUrl", &resources.dead_letter_queue_url)])?;
    states.create_state_machine(resources::DEAD_LETTER_MACHINE, &dead_letter)?;
    Ok(())
}

/// The definition with this interval between any two attempts of every Retry.
fn with_retry_interval(definition: &str, interval: Duration) -> anyhow::Result<String> {
    let mut machine: Value = serde_json::from_str(definition)?;
    let states = machine["States"].as_object_mut().into_iter().flat_map(|states| states.values_mut());
    let retriers = states.filter_map(|state| state.get_mut("Retry")?.as_array_mut()).flatten();
    for retrier in retriers.filter_map(Value::as_object_mut) {
        retrier.insert("IntervalSeconds".to_owned(), interval.as_secs().max(1).into());
        retrier.insert("BackoffRate".to_owned(), 1.into());
        retrier.remove("MaxDelaySeconds");
    }
    Ok(machine.to_string())
}

fn task_definition(
    config: &Config,
    folders: &Folders,
    endpoint: &str,
    credentials: &Credentials,
) -> TaskDefinition {
    let limits = &config.limits;
    let fraction = |duration: Duration| duration.as_secs_f64().to_string();
    let mut environment = vec![
        ("DATABASE_URL".to_owned(), config.database_url.clone()),
        ("ALLOWED_TABLES".to_owned(), config.allowed_tables.clone()),
        ("HEARTBEAT_INTERVAL_SECONDS".to_owned(), fraction(limits.heartbeat_interval)),
        ("STALL_LIMIT_SECONDS".to_owned(), fraction(limits.stall_limit)),
        ("LEASE_SECONDS".to_owned(), fraction(limits.lease)),
        ("METRICS_NAMESPACE".to_owned(), resources::METRICS_NAMESPACE.to_owned()),
    ];
    environment.extend(wiring::aws_environment(endpoint, credentials));
    environment.retain(|(name, _)| config.worker_environment.iter().all(|(other, _)| other != name));
    environment.extend(config.worker_environment.iter().cloned());
    TaskDefinition {
        family: resources::TASK_FAMILY.to_owned(),
        container: resources::CONTAINER.to_owned(),
        command: config.worker.clone(),
        environment,
        log_dir: folders.logs.clone(),
        log_group: resources::WORKER_LOG_GROUP.to_owned(),
        log_stream_prefix: resources::WORKER_LOG_PREFIX.to_owned(),
        stop_timeout: TaskDefinition::STOP_TIMEOUT,
    }
}

fn seconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_secs()).unwrap_or(i64::MAX)
}
