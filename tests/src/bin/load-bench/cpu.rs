//! Who worked while something was loaded: the system's own accounts of the processes, read before and after.

use std::ops::Sub;

/// The system counts in hundredths of a second here, on every machine that Linux runs on today (`USER_HZ`).
const TICKS_PER_SECOND: f64 = 100.0;

/// Seconds of processor time.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Cpu {
    /// Of the programs that this one started and that have ended: the contender.
    pub(crate) client: f64,
    /// Of the database's server, where there is one.
    pub(crate) server: f64,
    /// Of this program itself, with the embedded stack in it: it serves the file to the worker.
    pub(crate) stack: f64,
}

/// Where to read.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Clocks {
    /// The process whose children serve the connections.
    pub(crate) postmaster: Option<i32>,
}

impl Clocks {
    /// What has been spent until now.
    pub(crate) fn read(self) -> Cpu {
        let own = account("self").unwrap_or_default();
        Cpu {
            client: own.of_ended_children / TICKS_PER_SECOND,
            server: self.postmaster.map_or(0.0, server) / TICKS_PER_SECOND,
            stack: own.own / TICKS_PER_SECOND,
        }
    }
}

impl Sub for Cpu {
    type Output = Self;

    fn sub(self, before: Self) -> Self {
        Self {
            client: self.client - before.client,
            server: self.server - before.server,
            stack: self.stack - before.stack,
        }
    }
}

/// A process that ends moves its time from its own account to its parent's: the sum of both neither loses nor doubles.
fn server(postmaster: i32) -> f64 {
    let parent = account(&postmaster.to_string()).unwrap_or_default();
    let processes = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let children = processes
        .filter_map(|entry| account(entry.file_name().to_str().filter(|name| name.parse::<i32>().is_ok())?))
        .filter(|account| account.parent == postmaster);
    parent.own + parent.of_ended_children + children.map(|account| account.own).sum::<f64>()
}

#[derive(Default)]
struct Account {
    parent: i32,
    own: f64,
    of_ended_children: f64,
}

/// The account of a process: `/proc/<pid>/stat`, behind the program's name, which may have any characters.
fn account(pid: &str) -> Option<Account> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let fields: Vec<_> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks = |index: usize| fields.get(index)?.parse::<f64>().ok();
    Some(Account {
        parent: fields.get(1)?.parse().ok()?,
        own: ticks(11)? + ticks(12)?,
        of_ended_children: ticks(13)? + ticks(14)?,
    })
}
