//! Whether SQLite is at work. It has no server that could be asked, and a statement of it cannot tell how far it is. But it
//! works on the thread that asks it: as long as that thread takes time of a processor, the work gets on. A thread that waits
//! takes none, so that a source which has stopped is still noticed.

use std::path::PathBuf;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

/// How often the thread is looked at. Beats are further apart.
const GLANCE: Duration = Duration::from_secs(1);

/// Does the work, and says that it gets on while it takes time of a processor. Where the system does not tell that time,
/// only what the work itself counts is progress.
pub(crate) fn watched<T>(gets_on: impl Fn() + Sync, work: impl FnOnce() -> T) -> T {
    watched_every(GLANCE, gets_on, work)
}

fn watched_every<T>(glance: Duration, gets_on: impl Fn() + Sync, work: impl FnOnce() -> T) -> T {
    let Some(clock) = Clock::of_this_thread() else { return work() };
    let (working, ended) = channel::<()>();
    std::thread::scope(|scope| {
        let gets_on = &gets_on;
        scope.spawn(move || {
            let mut last = clock.ticks();
            while ended.recv_timeout(glance) == Err(RecvTimeoutError::Timeout) {
                let now = clock.ticks();
                if now > last {
                    gets_on();
                }
                last = now;
            }
        });
        let done = work();
        drop(working);
        done
    })
}

/// The time that one thread has taken of a processor.
struct Clock(PathBuf);

impl Clock {
    fn of_this_thread() -> Option<Self> {
        let thread = std::fs::read_link("/proc/thread-self").ok()?;
        let clock = Self(PathBuf::from("/proc").join(thread).join("stat"));
        clock.ticks().map(|_| clock)
    }

    /// In the system's ticks, usually hundredths of a second: user and system time, the 14th and 15th field.
    fn ticks(&self) -> Option<u64> {
        let stat = std::fs::read_to_string(&self.0).ok()?;
        // The second field, a name in brackets, may have spaces.
        let (_, behind_name) = stat.rsplit_once(')')?;
        let mut fields = behind_name.split_ascii_whitespace().skip(11);
        let (user, system) = (fields.next()?, fields.next()?);
        Some(user.parse::<u64>().ok()? + system.parse::<u64>().ok()?)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicU64;
    use std::sync::atomic::Ordering::Relaxed;

    use diesel::connection::SimpleConnection as _;
    use diesel::{Connection as _, SqliteConnection};

    use super::*;

    #[test]
    fn one_long_statement_of_sqlite_is_progress() {
        let mut connection = SqliteConnection::establish(":memory:").unwrap();
        let steps = AtomicU64::new(0);
        let gets_on = || _ = steps.fetch_add(1, Relaxed);
        watched_every(Duration::from_millis(20), gets_on, || {
            let statement = "CREATE TABLE t AS WITH RECURSIVE c (i) AS \
                (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < 3000000) SELECT count(*) FROM c";
            connection.batch_execute(statement).unwrap();
        });
        assert!(steps.load(Relaxed) > 1, "{steps:?}");
    }

    #[test]
    fn a_thread_that_waits_is_not_at_work() {
        let (sender, receiver) = channel();
        let (release, wait) = channel::<()>();
        let waiter = std::thread::spawn(move || {
            sender.send(Clock::of_this_thread().unwrap()).unwrap();
            wait.recv().unwrap();
        });
        let (waiting, own) = (receiver.recv().unwrap(), Clock::of_this_thread().unwrap());
        let (before, start) = (waiting.ticks().unwrap(), own.ticks().unwrap());
        while own.ticks().unwrap() < start + 20 {}
        assert!(waiting.ticks().unwrap() <= before + 1);
        release.send(()).unwrap();
        waiter.join().unwrap();
    }
}
