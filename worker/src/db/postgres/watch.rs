//! A statement that takes long, watched from a second connection. Every statement of a watched session is, by
//! construction: [`super::Session`] runs none in another way. While PostgreSQL works on it, or on what it waits for, the
//! import gets on although no counter moves. While it waits for a lock whose holder does nothing, it does not.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout};
use tokio_postgres::types::Type;
use tokio_postgres::{CancelToken, Client};

use super::{NoSession, Target};

/// The time between two looks. A statement that is quicker costs no look.
const LOOK: Duration = Duration::from_secs(1);

/// How long a look may take: a server that does not answer is not at work as far as we know.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long nobody may answer at all until the server counts as vanished.
const SILENCE: Duration = Duration::from_secs(60);

/// Whether the server works for the session `$1`: on its statement itself, or, where that waits for a lock, in one of the
/// sessions that it waits for, directly or through others. A holder that is between two statements counts for ten
/// seconds: an import that reads its source, say. What another role does cannot be seen without the role pg_read_all_stats; then it
/// does not count.
const IS_AT_WORK: &str = "\
WITH RECURSIVE sessions (pid) AS (
  SELECT $1::int4 UNION SELECT blocker FROM sessions, unnest(pg_catalog.pg_blocking_pids(sessions.pid)) blocker)
SELECT coalesce(bool_or(
         (a.state = 'active' AND a.wait_event_type IS DISTINCT FROM 'Lock')
         OR (a.pid <> $1 AND a.state LIKE 'idle in transaction%'
             AND a.state_change > clock_timestamp() - interval '10 seconds')), false)
FROM pg_catalog.pg_stat_activity a JOIN sessions USING (pid)";

/// What the session `$1` waits for: a session that has the lock, and waits for none itself. Its application and its state are
/// hidden from other roles without pg_read_all_stats.
const HOLDER: &str = "\
WITH RECURSIVE sessions (pid) AS (
  SELECT unnest(pg_catalog.pg_blocking_pids($1::int4)) UNION
  SELECT blocker FROM sessions, unnest(pg_catalog.pg_blocking_pids(sessions.pid)) blocker)
SELECT 'process ' || pid || coalesce(' (' || nullif(application_name, '') || ')', '')
       || CASE WHEN state LIKE 'idle in transaction%' THEN ', which has been idle in its transaction for '
               || round(extract(epoch FROM clock_timestamp() - state_change)) || ' s' ELSE '' END
FROM sessions LEFT JOIN pg_catalog.pg_stat_activity a USING (pid)
WHERE pid <> $1 AND cardinality(pg_catalog.pg_blocking_pids(pid)) = 0 ORDER BY pid LIMIT 1";

/// What is told while a statement is at work, and what is asked.
#[derive(Clone)]
pub struct Watch {
    at_work: Arc<dyn Fn() + Send + Sync>,
    is_to_stop: Arc<dyn Fn() -> bool + Send + Sync>,
    silence: Duration,
    hold: Option<Duration>,
}

impl Watch {
    /// `at_work` is called about once a second while the server works; a statement is cancelled once `is_to_stop`.
    #[must_use]
    pub fn new(
        at_work: impl Fn() + Send + Sync + 'static,
        is_to_stop: impl Fn() -> bool + Send + Sync + 'static,
    ) -> Self {
        Self { at_work: Arc::new(at_work), is_to_stop: Arc::new(is_to_stop), silence: SILENCE, hold: None }
    }

    /// The same, for a server that counts as vanished sooner, or later.
    #[must_use]
    pub fn giving_up_after(self, silence: Duration) -> Self {
        Self { silence, ..self }
    }

    /// The same, for statements that are cancelled once they have waited so long for a lock of a session that does nothing.
    #[must_use]
    pub fn waiting_for_locks_up_to(self, hold: Duration) -> Self {
        Self { hold: Some(hold), ..self }
    }
}

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Watch")
    }
}

/// The second connection of a session, which is opened when it is first needed.
pub(super) struct Watcher {
    watch: Watch,
    target: Target,
    pid: i32,
    client: Option<Client>,
    /// Who has the lock that the statement waited for when it was cancelled.
    pub(super) held: Option<String>,
}

impl Watcher {
    /// Watches the session of this process id.
    pub(super) fn new(watch: Watch, target: Target, pid: i32) -> Self {
        Self { watch, target, pid, client: None, held: None }
    }

    pub(super) fn is_to_stop(&self) -> bool {
        (self.watch.is_to_stop)()
    }

    /// Looks again and again, until it is dropped, or the server has vanished.
    pub(super) async fn run(&mut self, cancel: &CancelToken) {
        let mut answered = Instant::now();
        let mut worked = answered;
        self.held = None;
        while answered.elapsed() < self.watch.silence {
            sleep(LOOK).await;
            if self.is_to_stop() {
                self.cancel(cancel).await;
            } else {
                let seen = timeout(PATIENCE, self.look()).await.unwrap_or(Seen::Nobody);
                if seen == Seen::AtWork {
                    worked = Instant::now();
                    (self.watch.at_work)();
                }
                if seen == Seen::Idle && self.watch.hold.is_some_and(|hold| worked.elapsed() >= hold) {
                    self.held = timeout(PATIENCE, self.holder()).await.ok().flatten();
                    if self.held.is_some() {
                        self.cancel(cancel).await;
                    }
                }
                if seen != Seen::Nobody {
                    answered = Instant::now();
                }
            }
        }
    }

    /// Should the request not arrive, the next look sends another.
    async fn cancel(&self, cancel: &CancelToken) {
        if let Ok(tls) = self.target.tls() {
            let _ = timeout(PATIENCE, cancel.cancel_query(tls)).await;
        }
    }

    /// Which session has the lock that ours waits for; none where ours waits for no lock.
    async fn holder(&self) -> Option<String> {
        let rows = self.client.as_ref()?.query_typed(HOLDER, &[(&self.pid, Type::INT4)]).await.ok()?;
        let holder: String = rows.first()?.try_get(0).ok()?;
        let waited = self.watch.hold.unwrap_or_default();
        Some(format!(
            "after {waited:?} the statement still waits for a lock that another session has: {holder}"
        ))
    }

    async fn look(&mut self) -> Seen {
        let client = match self.client.take() {
            Some(client) if !client.is_closed() => client,
            _ => match self.target.client().await {
                Ok((client, _)) => client,
                Err(NoSession::Elsewhere(_)) => return Seen::Idle,
                Err(NoSession::Silent(_)) => return Seen::Nobody,
            },
        };
        let rows = client.query_typed(IS_AT_WORK, &[(&self.pid, Type::INT4)]).await;
        if client.is_closed() {
            return Seen::Nobody;
        }
        self.client = Some(client);
        let is_at_work = rows.ok().and_then(|rows| rows.first()?.try_get(0).ok());
        if is_at_work == Some(true) { Seen::AtWork } else { Seen::Idle }
    }
}

/// What a look at the server shows.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Seen {
    /// It works for the session.
    AtWork,
    /// It answers. It does not work for the session, or does not tell: beats then stop, and the statement is tried again.
    Idle,
    /// Nobody answers.
    Nobody,
}
