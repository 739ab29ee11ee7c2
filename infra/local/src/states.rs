//! Step Functions: standard workflows in JSONata, small and exact. [`execution`] decides what happens, `repository` keeps
//! it on disk, `driver` carries it out, `api` speaks the wire.

mod api;
mod chance;
pub mod definition;
mod driver;
pub mod execution;
mod integrations;
pub mod jsonata;
mod limits;
mod notices;
mod repository;
#[doc(hidden)]
pub mod seed;
pub mod services;
mod time;

use std::collections::HashMap;
use std::fmt;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use serde_json::Value;
use tokio::sync::Notify;
use tokio_util::sync::{CancellationToken, DropGuard};

pub use self::chance::Chance;
use self::definition::Definition;
use self::repository::{Repository, Revision};
pub use self::services::Services;
pub use self::time::Timestamp;
use crate::wire::AwsError;

/// The file that all is kept in.
const FILE: &str = "states.sqlite";

/// Who is told of each change of an execution's status: the EventBridge event.
type StatusCallback = Box<dyn Fn(Value) + Send + Sync>;

/// Step Functions in one account and region.
pub struct States {
    repository: Repository,
    services: Services,
    region: String,
    account: String,
    /// Definitions that were parsed, by the number of their revision.
    definitions: Mutex<HashMap<i64, Arc<Definition>>>,
    callbacks: RwLock<Vec<StatusCallback>>,
    /// Tells the timer that a deadline may have changed.
    deadlines: Arc<Notify>,
    /// Whatever runs for this instance ends with it.
    stopped: CancellationToken,
    _stop: DropGuard,
}

impl fmt::Debug for States {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("States").field("region", &self.region).finish_non_exhaustive()
    }
}

impl States {
    /// Opens what lies in `dir`, and creates it where there is nothing. Executions that were open go on with
    /// [`Self::resume`].
    ///
    /// # Errors
    /// The file cannot be opened, or is none of ours.
    pub fn open(dir: &Path, region: &str, account: &str, services: Services) -> anyhow::Result<Arc<Self>> {
        let stopped = CancellationToken::new();
        Ok(Arc::new(Self {
            repository: Repository::open(&dir.join(FILE))?,
            services,
            region: region.to_owned(),
            account: account.to_owned(),
            definitions: Mutex::default(),
            callbacks: RwLock::default(),
            deadlines: Arc::default(),
            _stop: stopped.clone().drop_guard(),
            stopped,
        }))
    }

    /// Creates a state machine, or gives it a new definition. Executions that are open keep the one they started with.
    ///
    /// # Errors
    /// The name is none, the definition is not taken, or cannot be stored.
    pub fn create_state_machine(&self, name: &str, definition: &str) -> anyhow::Result<String> {
        use anyhow::Context as _;
        if !api::is_name(name) {
            anyhow::bail!("{name:?} is no name of a state machine");
        }
        Definition::parse(definition).with_context(|| format!("the state machine {name} cannot be run"))?;
        let arn = format!("arn:aws:states:{}:{}:stateMachine:{name}", self.region, self.account);
        let revision_id = Chance::from_system().uuid();
        self.repository.put_machine(&arn, name, &revision_id, definition, Timestamp::now())?;
        Ok(arn)
    }

    /// Has `callback` called with the EventBridge event of every change of status, once it is on disk. Calls for one
    /// execution come in order; a callback must not block.
    pub fn on_status_change(&self, callback: StatusCallback) {
        self.callbacks.write().unwrap_or_else(PoisonError::into_inner).push(callback);
    }

    /// How many executions are open, of whatever machine.
    ///
    /// # Errors
    /// The stack's file cannot be read.
    pub(crate) fn open_executions(&self) -> anyhow::Result<usize> {
        Ok(self.repository.open_executions()?.len())
    }

    /// Lets executions rest where they are: calls are answered and recorded, but nothing is carried out any more. What
    /// was open goes on when the stack starts again.
    pub fn rest(&self) {
        self.stopped.cancel();
    }

    /// The definition of a revision, parsed once.
    fn definition(&self, revision: i64) -> Result<Arc<Definition>, AwsError> {
        let known = self.definitions.lock().unwrap_or_else(PoisonError::into_inner).get(&revision).cloned();
        if let Some(definition) = known {
            return Ok(definition);
        }
        let row = self.revision(revision)?;
        let definition = Arc::new(Definition::parse(&row.definition).map_err(AwsError::internal)?);
        let mut definitions = self.definitions.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(Arc::clone(definitions.entry(revision).or_insert(definition)))
    }

    fn revision(&self, revision: i64) -> Result<Revision, AwsError> {
        let row = self.repository.revision(revision)?;
        row.ok_or_else(|| AwsError::internal(format!("the definition {revision} is missing")))
    }

    fn role_arn(&self, machine_name: &str) -> String {
        format!("arn:aws:iam::{}:role/{machine_name}", self.account)
    }
}
