//! Which database the work is for that lies in a folder. An import that was sent while one database was named must not go on in
//! another: its rows would be in the wrong one, and the right one would never hear of it.

use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;

use super::queues;
use crate::config::Config;
use crate::resources::QueueNames;
use crate::sqs::Sqs;
use crate::states::States;

/// The file with the database's name.
const FILE: &str = "database";

/// Holds a stack in which things move to the database that unfinished work is for, and notes it for the next one.
///
/// # Errors
/// Work is left that is for another database, or the folder cannot be read or written.
pub(super) async fn hold_to(
    config: &Config,
    dir: &Path,
    names: QueueNames,
    sqs: &Arc<Sqs>,
    states: &States,
) -> anyhow::Result<()> {
    let name = &config.database_name;
    if name.is_empty() || !config.moving {
        return Ok(());
    }
    let file = dir.join(FILE);
    let before = match std::fs::read_to_string(&file) {
        Ok(before) => before,
        Err(error) if error.kind() == ErrorKind::NotFound => String::new(),
        Err(error) => return Err(error).with_context(|| format!("failed to read {}", file.display())),
    };
    if before == *name {
        return Ok(());
    }
    if !before.is_empty() {
        let executions = states.open_executions()?;
        let mut messages = 0;
        for queue in std::iter::once(names.sent_to).chain(names.lanes) {
            messages += queues::messages(sqs, queue).await.unwrap_or(0);
        }
        let shown = |name: &str| name.lines().next().unwrap_or_default().to_owned();
        let (there, here) = match (shown(&before), shown(name)) {
            (there, here) if there == here => (there, "it as another role, or with other options".to_owned()),
            others => others,
        };
        anyhow::ensure!(
            executions == 0 && messages == 0,
            "imports in the folder {} are not finished (executions that run: {executions}, messages in the queue: {messages}), and \
             their rows go into {there}; here they would go into {here}: finish or cancel them there, or name another folder by \
             --data-dir",
            config.data_dir.display()
        );
    }
    let partial = file.with_extension("partial");
    std::fs::write(&partial, name)
        .and_then(|()| std::fs::rename(&partial, &file))
        .with_context(|| format!("failed to write {}", file.display()))
}
