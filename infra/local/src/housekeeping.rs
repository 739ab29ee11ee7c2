//! What a stack that stays up for weeks must throw away: tasks that stopped long ago, and their logs.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinHandle;
use tracing::error;

use crate::ecs::Ecs;
use crate::logs::Logs;

const INTERVAL: Duration = Duration::from_secs(60 * 60);

/// Tidies up now, and every hour.
pub(crate) fn start(ecs: Arc<Ecs>, logs: Arc<Logs>) -> JoinHandle<()> {
    tokio::spawn(async move {
        let mut hours = tokio::time::interval(INTERVAL);
        loop {
            hours.tick().await;
            let (ecs, logs) = (Arc::clone(&ecs), Arc::clone(&logs));
            let tidied = tokio::task::spawn_blocking(move || {
                if let Err(error) = ecs.prune() {
                    error!("Failed to forget old tasks: {error:#}");
                }
                if let Err(error) = logs.prune() {
                    error!("Failed to delete old logs: {error}");
                }
            });
            // It ends early only with the runtime.
            let _ = tidied.await;
        }
    })
}
