//! What the pages are made from, and what is remembered between two of them.

use std::sync::Arc;

use anyhow::Context as _;
use ops::commands::Commands;
use ops::submit::Say;
use ops::target::{Choice, Target};
use tokio::sync::{Mutex, Semaphore};
use worker::db::Connection;

use crate::guard::Guard;
use crate::layout::Foot;
use crate::made_tables::MadeTables;
use crate::notices::Notices;
use crate::options::UploadForm;
use crate::returned_forms::ReturnedForms;
use crate::story::cache::StoryCache;

/// The most questions to the database at once: pages that refresh themselves must not take the workers' connections.
const DATABASE_SLOTS: usize = 4;

/// What the pages are made from.
pub struct Console {
    pub(crate) target: Target,
    commands: Commands,
    pub(crate) guard: Arc<Guard>,
    pub(crate) notices: Notices,
    pub(crate) stories: StoryCache,
    /// The form of an upload, as the command line has it.
    pub(crate) form: UploadForm,
    pub(crate) returned_forms: ReturnedForms,
    pub(crate) made_tables: MadeTables,
    /// Tells whoever started the console what is said of tables that it drops, and the like.
    pub(crate) say: Say,
    database_slots: Semaphore,
    /// Held by whoever receives from the dead-letter queue.
    pub(crate) dead_letters: Mutex<()>,
}

/// What handlers take.
pub(crate) type Shared = Arc<Console>;

impl Console {
    /// A console of this system.
    pub fn new(choice: &Choice, target: Target, guard: Guard, form: UploadForm, say: Say) -> Self {
        Self {
            target,
            commands: choice.commands.clone(),
            guard: Arc::new(guard),
            notices: Notices::default(),
            stories: StoryCache::default(),
            form,
            returned_forms: ReturnedForms::default(),
            made_tables: MadeTables::default(),
            say,
            database_slots: Semaphore::new(DATABASE_SLOTS),
            dead_letters: Mutex::new(()),
        }
    }

    /// Asks the database, on a thread that may block.
    pub(crate) async fn database<T: Send + 'static>(
        &self,
        ask: impl FnOnce(&mut Connection) -> Result<T, worker::failure::Failure> + Send + 'static,
    ) -> anyhow::Result<T> {
        let _slot = self.database_slots.acquire().await.context("the console is ending")?;
        let database = self.target.database.clone();
        let asked = tokio::task::spawn_blocking(move || ask(&mut database.connect()?));
        Ok(asked.await.context("failed to ask the database")??)
    }

    /// What stands at the foot of each page.
    pub(crate) fn foot(&self) -> Foot {
        Foot {
            shows: format!("{} · {}", self.target.place.describe(), self.target.database.display_name()),
            up: self.target.is_at_rest.then(|| self.command_line("up")),
        }
    }

    /// The command line that does for an import what the console is about to do, or cannot: as it can be typed where the
    /// console was started, so that it means the same import.
    pub(crate) fn command(&self, verb: &str, id: &str) -> String {
        self.commands.of(verb, id)
    }

    /// The command line of a verb, as [`Self::command`].
    pub(crate) fn command_line(&self, verb: &str) -> String {
        self.commands.line(verb)
    }
}
