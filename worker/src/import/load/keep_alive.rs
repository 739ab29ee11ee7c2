//! A transaction that stays awake while the import waits for something else than the database. Three things go by how long a
//! session has been idle in a transaction: the server's `idle_in_transaction_session_timeout`, which ends it; another worker,
//! which waits for a lock of ours and takes an idle holder for a dead one; and we, to whom a connection that is lost says so
//! only when it is used.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use super::transaction;
use crate::db::Connection;
use crate::db::failure::sql_failure;
use crate::failure::Failure;
use crate::import::progress::Progress;
use crate::import::stages::Stage;
use crate::job::Gauge as _;

/// The time between two signs of life. A holder of a lock counts as idle after ten seconds (`db/postgres/watch.rs`).
pub(super) const PERIOD: Duration = Duration::from_secs(2);

/// Signs of life of one transaction.
pub(super) struct KeepAlive<'a> {
    progress: &'a Progress,
    /// The stage in which the import waits.
    stage: Stage,
    seen: u64,
}

impl<'a> KeepAlive<'a> {
    pub(super) fn new(progress: &'a Progress, stage: Stage) -> Self {
        Self { progress, stage, seen: progress.steps() }
    }

    /// Has the server do next to nothing, if the import has got on since the last time: an import that does not get on is not
    /// to look alive. While the server answers, only that counts as progress.
    pub(super) fn keep(&mut self, connection: &mut Connection) -> Result<(), Failure> {
        let steps = self.progress.steps();
        if steps == self.seen || !transaction::is_open(connection) {
            return Ok(());
        }
        self.seen = steps;
        let Connection::Postgres(session) = connection else { return Ok(()) };
        self.progress.enter(Stage::Load);
        let answered = session.batch("SELECT 1");
        self.progress.enter(self.stage);
        answered.map_err(|error| sql_failure(&error, "keep the transaction open"))
    }
}

/// Does `work`, which does not need the connection, while the transaction on it stays awake. What `work` is given becomes true
/// when the transaction is lost, and `work` in vain.
pub(crate) fn during<T>(
    connection: &mut Connection,
    progress: &Progress,
    work: impl FnOnce(&AtomicBool) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let is_lost = AtomicBool::new(false);
    let span = tracing::Span::current();
    std::thread::scope(|scope| {
        let (at_work, ended) = channel::<()>();
        let is_lost = &is_lost;
        let keeper = scope.spawn(move || {
            let _in_span = span.entered();
            let mut keep_alive = KeepAlive::new(progress, Stage::Settle);
            while ended.recv_timeout(PERIOD) == Err(RecvTimeoutError::Timeout) {
                keep_alive.keep(connection).inspect_err(|_| is_lost.store(true, Relaxed))?;
            }
            Ok::<(), Failure>(())
        });
        let done = work(is_lost);
        drop(at_work);
        keeper.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
        done
    })
}
