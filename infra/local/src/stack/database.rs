//! Holds a stack to the database that unfinished work in its folder is for.

use std::sync::Arc;

use super::queues;
use crate::config::Config;
use crate::databases::Databases;
use crate::resources::QueueNames;
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
    let databases = Databases::of_folder(dir)?;
    if databases.last() == Some(here) {
        return Ok(());
    }
    if config.is_database_moved && databases.last().is_some() {
        return databases.note_moved(dir, here);
    }
    if let Some(before) = databases.last().filter(|before| !before.is(here)) {
        let executions = states.open_executions()?;
        let mut messages = 0;
        for queue in std::iter::once(names.sent_to).chain(names.lanes) {
            messages += queues::messages(sqs, queue).await.unwrap_or(0);
        }
        let (there, here) = match (before.shown(), here.shown()) {
            (there, here) if there == here => (there, "it as another role, or with other options"),
            others => others,
        };
        anyhow::ensure!(
            executions == 0 && messages == 0,
            "imports in the folder {} are not finished (executions that run: {executions}, messages in the queue: {messages}), and \
             their rows go into {there}; here they would go into {here}: finish or cancel them there, or name another folder by \
             --data-dir; where that database has moved and is this one, `baton up --database-moved` goes on with them",
            dir.display()
        );
    }
    databases.note(dir, Timestamp::now().millis(), here)
}
