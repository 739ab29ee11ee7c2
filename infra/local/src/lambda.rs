//! Lambda: a function is a program of this machine that speaks to Lambda's Runtime API, unchanged. Each function has one
//! execution environment: its invocations follow one another. The environment is started by the first invocation, and anew,
//! with growing pauses, after one that ended it.
//!
//! Differences from AWS: through the API nothing is created, and nothing changed but the reserved concurrency, to 0 or to none, and
//! whether the mapping is enabled; an event may be larger than 6 MB;
//! there are no asynchronous invocations, no log tails, no versions and no aliases.

pub(crate) mod api;
mod batch;
mod event_source;
mod runtime_api;
mod sandbox;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::Value;
use tokio::sync::Mutex;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

pub use event_source::{EventSource, EventSourceMapping};
use sandbox::Sandbox;

use crate::credentials::Credentials;
use crate::process::BaseEnvironment;

/// The pause before a function that keeps dying is started again, doubled each time.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// How long an environment may take to end when it is asked to.
const GRACE: Duration = Duration::from_secs(2);

/// A function, as it is set up.
#[derive(Clone)]
pub struct FunctionConfig {
    /// The function's name.
    pub name: String,
    /// The program.
    pub command: PathBuf,
    /// The function's own variables. The variables that Lambda reserves cannot be replaced by them.
    pub environment: Vec<(String, String)>,
    /// What the program gets of the stack's own environment.
    pub base: BaseEnvironment,
    /// How long an invocation may take before the function is killed.
    pub timeout: Duration,
    /// What the function is told of its memory, in MB. It is not enforced.
    pub memory_megabytes: u32,
    /// The region that the function believes to be in.
    pub region: String,
    /// The account of the function's ARN.
    pub account: String,
    /// What the function signs its calls with.
    pub credentials: Credentials,
    /// The file that its output is appended to.
    pub log: PathBuf,
}

impl FunctionConfig {
    /// The function's ARN.
    #[must_use]
    pub fn arn(&self) -> String {
        format!("arn:aws:lambda:{}:{}:function:{}", self.region, self.account, self.name)
    }
}

/// Why an invocation has no result.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum InvokeError {
    /// The function reported an error: an object with `errorType` and `errorMessage`. It may quote the event.
    #[error("the function reported an error of type {:?}", error_type(.0))]
    FunctionError(Value),
    /// The function took too long, and was killed.
    #[error("the function timed out after {} s", .0.as_secs_f64())]
    TimedOut(Duration),
    /// The function's process ended, or never came to work.
    #[error("the function died: {0}")]
    Died(String),
    /// The function's reserved concurrency is 0.
    #[error("the function is throttled")]
    Throttled,
}

/// The name of an error that a function reported. Its message is for the caller only.
fn error_type(error: &Value) -> &str {
    error.get("errorType").and_then(Value::as_str).unwrap_or("unknown")
}

/// A function and its execution environment.
pub struct Lambda {
    config: FunctionConfig,
    environment: Mutex<Environment>,
    closing: CancellationToken,
    is_throttled: AtomicBool,
}

/// The execution environment, if there is one, and the record of those before.
#[derive(Default)]
struct Environment {
    sandbox: Option<Sandbox>,
    /// How many in a row came to a bad end, and when the last did.
    deaths: u32,
    last_death: Option<Instant>,
}

/// The functions, each with the mapping that feeds it: what the stack's Lambda API shows.
#[derive(Clone)]
pub struct Functions(Arc<[Fed]>);

/// A function and what feeds it.
pub struct Fed {
    /// The function.
    pub function: Arc<Lambda>,
    /// The mapping.
    pub mapping: Arc<EventSourceMapping>,
}

impl Functions {
    /// Functions of different names.
    #[must_use]
    pub fn new(functions: Vec<Fed>) -> Self {
        Self(functions.into())
    }

    /// Ends all of them: first what feeds them, so that no batch is taken that nobody will see through.
    pub async fn shutdown(&self) {
        for fed in self.iter() {
            fed.mapping.shutdown().await;
        }
        for fed in self.iter() {
            fed.function.shutdown().await;
        }
    }

    fn iter(&self) -> impl Iterator<Item = &Fed> {
        self.0.iter()
    }
}

impl Lambda {
    /// A function that is started when it is first invoked.
    #[must_use]
    pub fn open(config: FunctionConfig) -> Arc<Self> {
        let (environment, closing) = (Mutex::default(), CancellationToken::new());
        Arc::new(Self { config, environment, closing, is_throttled: AtomicBool::new(false) })
    }

    /// How the function is set up.
    #[must_use]
    pub fn config(&self) -> &FunctionConfig {
        &self.config
    }

    /// Reserves no concurrency for the function, so that every invocation is throttled; or lets it work.
    pub fn throttle(&self, is_throttled: bool) {
        self.is_throttled.store(is_throttled, Ordering::Relaxed);
    }

    /// Invokes the function and waits for its answer, behind the invocations before this one.
    ///
    /// # Errors
    /// [`InvokeError`].
    pub async fn invoke(self: &Arc<Self>, payload: Value) -> Result<Value, InvokeError> {
        if self.is_throttled.load(Ordering::Relaxed) {
            return Err(InvokeError::Throttled);
        }
        let lambda = Arc::clone(self);
        // A task of its own: a caller that goes away must not leave the environment in the middle of an invocation.
        let invocation = tokio::spawn(async move { lambda.run(payload.to_string()).await });
        invocation.await.unwrap_or_else(|error| Err(InvokeError::Died(error.to_string())))
    }

    /// Waits for the invocation that is under way, and ends the function. No other is taken: what feeds the function is
    /// shut down first.
    pub async fn shutdown(&self) {
        self.closing.cancel();
        if let Some(sandbox) = self.environment.lock().await.sandbox.take() {
            sandbox.stop(GRACE).await;
        }
    }

    async fn run(&self, payload: String) -> Result<Value, InvokeError> {
        let mut environment = self.environment.lock().await;
        let shutting_down = || InvokeError::Died("the embedded stack is shutting down".to_owned());
        if environment.sandbox.as_ref().is_some_and(Sandbox::has_exited) {
            warn!("Function {} ended while it had nothing to do", self.config.name);
            environment.bury();
        }
        tokio::select! {
            biased;
            () = self.closing.cancelled() => return Err(shutting_down()),
            () = environment.pause() => {}
        }
        let sandbox = match environment.sandbox.take() {
            Some(sandbox) => sandbox,
            None => match Sandbox::start(&self.config).await {
                Ok(sandbox) => sandbox,
                Err(error) => {
                    environment.bury();
                    return Err(InvokeError::Died(error.to_string()));
                }
            },
        };
        let result = sandbox.invoke(payload, self.config.timeout).await;
        match &result {
            Ok(_) => environment.deaths = 0,
            Err(error) => warn!("Function {} failed: {error}", self.config.name),
        }
        if matches!(result, Err(InvokeError::TimedOut(_) | InvokeError::Died(_))) || sandbox.has_exited() {
            let exit = sandbox.kill().await;
            info!("Function {} ended with {exit}", self.config.name);
            environment.bury();
        } else {
            environment.sandbox = Some(sandbox);
        }
        result
    }
}

impl Environment {
    fn bury(&mut self) {
        self.sandbox = None;
        self.deaths = self.deaths.saturating_add(1);
        self.last_death = Some(Instant::now());
    }

    /// Waits as long as a function that keeps dying has to.
    async fn pause(&self) {
        if let (None, Some(last)) = (&self.sandbox, self.last_death)
            && self.deaths > 0
        {
            let pause = FIRST_PAUSE.saturating_mul(1 << (self.deaths - 1).min(16)).min(LONGEST_PAUSE);
            tokio::time::sleep_until(last + pause).await;
        }
    }
}
