//! Holds a stack to the database that unfinished work in its folder is for.

use std::path::Path;
use std::sync::Arc;

use super::queues;
use crate::config::Config;
use crate::databases::Databases;
use crate::resources::QueueNames;
use crate::session::Session;
use crate::sqs::Sqs;
use crate::states::{States, Timestamp};

/// Notes the database of a stack in which things move.
///
/// # Errors
/// Work is left that is for another database, or the folder cannot be read or written.
pub(super) async fn hold_to(
    config: &Config,
    names: QueueNames,
    sqs: &Arc<Sqs>,
    states: &States,
) -> anyhow::Result<()> {
    let (here, dir) = (&config.database, &config.data_dir);
    if here.name.is_empty() || !config.moving {
        return Ok(());
    }
    let unfinished = Unfinished { dir, names, sqs, states };
    if let Some(last) = Session::last(dir)?
        && last.is_of_another_folder(dir)
        && let Some(there) = Session::of_running_stack(&last.data_dir)?
        && let Some(work) = unfinished.work().await?
    {
        anyhow::bail!(
            "{work}: the folder was copied from {}, where a stack is up (process {}) that goes on with them; end that one first, or name \
             another folder by --data-dir",
            last.data_dir.display(),
            there.pid
        );
    }
    let databases = Databases::of_folder(dir)?;
    // Of all of them, also where a stack for this one has begun since.
    if config.is_database_moved && databases.last().is_some() {
        return databases.note_moved(dir, here);
    }
    if databases.last() == Some(here) {
        return Ok(());
    }
    if let Some(before) = databases.last().filter(|before| !before.is(here))
        && let Some(work) = unfinished.work().await?
    {
        let (there, here) = match (before.shown(), here.shown()) {
            (there, here) if there == here => (there, "it as another role, or with other options"),
            others => others,
        };
        anyhow::bail!(
            "{work}, and their rows go into {there}; here they would go into {here}: finish or cancel them there, or name another folder \
             by --data-dir; where that database has moved and is this one, `baton up --database-moved` goes on with them"
        );
    }
    databases.note(dir, Timestamp::now().millis(), here)
}

/// Where unfinished work may lie.
struct Unfinished<'a> {
    dir: &'a Path,
    names: QueueNames,
    sqs: &'a Arc<Sqs>,
    states: &'a States,
}

impl Unfinished<'_> {
    /// What is not finished, as the beginning of a sentence; none where all is.
    async fn work(&self) -> anyhow::Result<Option<String>> {
        let executions = self.states.open_executions()?;
        let mut messages = 0;
        for queue in std::iter::once(self.names.sent_to).chain(self.names.lanes) {
            messages += queues::messages(self.sqs, queue).await.unwrap_or(0);
        }
        Ok((executions > 0 || messages > 0).then(|| {
            format!(
                "imports in the folder {} are not finished (executions that run: {executions}, messages in the queue: {messages})",
                self.dir.display()
            )
        }))
    }
}
