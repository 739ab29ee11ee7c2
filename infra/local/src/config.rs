//! What a stack needs to start. Everything has a default but the folder, the programs and the database.

use std::path::PathBuf;
use std::time::Duration;

use crate::databases::DatabaseName;
use crate::process::BaseEnvironment;

/// How to start a stack.
#[derive(Clone)]
pub struct Config {
    /// The folder that the stack keeps its files in. It is created where it is missing; one stack at a time may use it.
    pub data_dir: PathBuf,
    /// The port to listen on, on 127.0.0.1; 0 takes a free one.
    pub port: u16,
    /// The program that ECS runs for an import.
    pub worker: PathBuf,
    /// The program that Lambda runs for a batch of messages that ask for imports.
    pub start_import: PathBuf,
    /// The program that Lambda runs to part messages among the lanes, where `maximum_imports` makes some.
    pub assign_lane: PathBuf,
    /// The database that the worker imports into. A secret.
    pub database_url: String,
    /// How that database is told from others. Where unfinished work lies in the folder that is for another one, the stack does not
    /// start.
    pub database: DatabaseName,
    /// Whether the databases that work in the folder is for are this one, which has moved.
    pub is_database_moved: bool,
    /// The tables that the worker may write: names with commas between them, or `*`.
    pub allowed_tables: String,
    /// More variables for the functions. One that the stack sets itself is replaced.
    pub function_environment: Vec<(String, String)>,
    /// Whether the queues are FIFO queues. S3 sends no events to such a queue, here as on AWS.
    pub fifo: bool,
    /// How many imports may run at once: so many lanes lie behind the queue. 0: no cap. Of FIFO queues the message groups are
    /// the cap, and this must be 0.
    pub maximum_imports: u32,
    /// Variables of the worker that differ from what the stack gives it, such as another `DATABASE_URL` or
    /// `AWS_ENDPOINT_URL`. They may be secrets.
    pub worker_environment: Vec<(String, String)>,
    /// The limits that the template sets on AWS.
    pub limits: Limits,
    /// Whether messages and executions move. A stack at rest answers questions and changes nothing by itself.
    pub moving: bool,
}

/// What the stack's children get of its own environment.
#[expect(clippy::disallowed_methods, reason = "this is the one place that reads the environment")]
pub(crate) fn base_environment() -> BaseEnvironment {
    BaseEnvironment::of(std::env::vars_os())
}

/// The limits of a deployment, with the defaults of the template where a laptop does not ask for others.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// How long a received message stays hidden before the execution holds it. At least six times the function's
    /// timeout, as AWS recommends.
    pub visibility_timeout: Duration,
    /// How long the execution hides the message while it runs. Below the 12 hours that SQS allows from the first receive.
    pub hold: Duration,
    /// How many receives bring a message to the dead-letter queue.
    pub max_receive_count: u32,
    /// How many messages the Lambda gets at once, 1 to 10. On a FIFO queue 1: those behind the first of their group would
    /// each use up a receive for every one before them. From lanes it always gets 1.
    pub batch_size: u8,
    /// The time limit of the Lambda function.
    pub function_timeout: Duration,
    /// The time limit of one attempt at an import.
    pub run_timeout: Duration,
    /// How long an attempt may go without a heartbeat. On AWS this covers the start of the container too; a process on a
    /// laptop starts at once.
    pub heartbeat: Duration,
    /// How often the worker beats; at most a third of `heartbeat`.
    pub heartbeat_interval: Duration,
    /// How long the worker beats on without progress.
    pub stall_limit: Duration,
    /// How long a claim on an import lasts without a beat.
    pub lease: Duration,
    /// How many containers the cluster has room for; `RunTask` answers any more with a failure. None: any number.
    pub room: Option<usize>,
    /// How long the import machine's Retry waits between any two attempts, in whole seconds, instead of what the definition
    /// says. A test does not wait for an hour.
    pub retry_interval: Option<Duration>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            visibility_timeout: Duration::from_secs(60),
            hold: Duration::from_secs(42_000),
            max_receive_count: 5,
            batch_size: 10,
            function_timeout: Duration::from_secs(10),
            run_timeout: Duration::from_secs(36_000),
            heartbeat: Duration::from_secs(30),
            // Often, because nothing is far on one machine and a progress bar should move.
            heartbeat_interval: Duration::from_millis(200),
            stall_limit: Duration::from_secs(60),
            lease: Duration::from_secs(60),
            room: None,
            retry_interval: None,
        }
    }
}
