//! The program and all that descends from it. This process is the parent of every orphan among them, so that none is out
//! of reach: not one in the background, and not one in a session of its own. Only direct children are ever killed or reaped,
//! and a group only by its leader who is one: their numbers cannot pass to somebody else before they are reaped here.

mod children;

use std::collections::{BTreeMap, HashSet};
use std::os::fd::OwnedFd;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, ExitStatus};
use std::time::{Duration, Instant};

use rustix::event::{Timespec, poll};
use rustix::io::Errno;
use rustix::process::{
    Pid, PidfdFlags, Signal, WaitId, WaitIdOptions, WaitOptions, kill_process, kill_process_group,
    pidfd_open, waitid, waitpid,
};
use tracing::warn;

use children::{Relative, children};

/// How long processes may take to die of SIGKILL. One that hangs in the kernel, or that belongs to another user and is not
/// ours to kill, must not hold up the report.
const DEATH_LIMIT: Duration = Duration::from_secs(5);

/// The pause between two rounds of killing.
const ROUND: Timespec = Timespec { tv_sec: 0, tv_nsec: 2_000_000 };

/// The children that this process has already. They are not the program's.
#[derive(Debug)]
pub(crate) struct Strangers(HashSet<Pid>);

impl Strangers {
    /// To be called before the program starts.
    pub(crate) fn now() -> Self {
        Self(if has_no_children() {
            HashSet::new()
        } else {
            children().into_iter().map(|child| child.pid).collect()
        })
    }
}

/// The program with its descendants. All of them are killed when it is dropped.
#[derive(Debug)]
pub(crate) struct Family {
    program: Pid,
    /// Becomes readable when the program ends; none on kernels before 5.3.
    pidfd: Option<OwnedFd>,
    strangers: Strangers,
    is_reaped: bool,
    status: Option<ExitStatus>,
}

/// What was found when all was ended.
#[derive(Debug)]
pub(crate) struct Ending {
    /// How the program itself ended; none where it could not be killed.
    pub(crate) status: Option<ExitStatus>,
    /// The other processes that were killed, by number, with their names.
    pub(crate) killed: BTreeMap<i32, String>,
}

impl Family {
    pub(crate) fn of(child: &Child, strangers: Strangers) -> Self {
        let program = Pid::from_child(child);
        let pidfd = pidfd_open(program, PidfdFlags::empty()).ok();
        Self { program, pidfd, strangers, is_reaped: false, status: None }
    }

    pub(crate) fn pidfd(&self) -> Option<&OwnedFd> {
        self.pidfd.as_ref()
    }

    /// Whether the program itself has ended. It is not reaped yet: as long as it is not, its group keeps its number.
    pub(crate) fn program_has_ended(&self) -> bool {
        self.is_reaped
            || !matches!(waitid(WaitId::Pid(self.program), ended_but_kept()), Ok(None) | Err(Errno::INTR))
    }

    /// Asks the group to stop. A process that was stopped sees the request only once it is continued.
    pub(crate) fn ask_to_stop(&self) {
        if self.is_reaped {
            return;
        }
        for signal in [Signal::TERM, Signal::CONT] {
            if let Err(error) = kill_process_group(self.program, signal) {
                warn!(%error, "Could not send {signal:?} to the program");
            }
        }
    }

    /// Whether a process is left that has not ended, beside the program itself.
    pub(crate) fn is_anyone_left(&self) -> bool {
        self.orphans().iter().any(|orphan| !orphan.has_ended)
    }

    /// Reaps the orphans that have ended.
    pub(crate) fn reap_orphans(&self) {
        // Cheap when there is nothing to do, which is nearly always.
        if matches!(waitid(WaitId::All, ended_but_kept()), Ok(Some(_))) {
            for orphan in self.orphans().iter().filter(|orphan| orphan.has_ended) {
                reap(orphan.pid);
            }
        }
    }

    /// Kills and reaps the program and all that descends from it.
    pub(crate) fn end(&mut self) -> Ending {
        let mut killed = BTreeMap::new();
        let give_up_at = Instant::now() + DEATH_LIMIT;
        if !self.is_reaped {
            // The whole group at once: no member can start another one meanwhile.
            let _ = kill_process_group(self.program, Signal::KILL);
        }
        loop {
            self.reap_program();
            let orphans = self.orphans_if_any();
            for orphan in &orphans {
                let was_killed = if orphan.has_ended {
                    reap(orphan.pid).is_some_and(|status| status.signal() == Some(Signal::KILL.as_raw()))
                } else {
                    kill(orphan);
                    true
                };
                if was_killed {
                    killed.entry(orphan.pid.as_raw_nonzero().get()).or_insert_with(|| orphan.name.clone());
                }
            }
            if self.is_reaped && orphans.is_empty() {
                break;
            }
            if Instant::now() > give_up_at {
                let left: Vec<_> = orphans.iter().map(Relative::to_string).collect();
                warn!(
                    processes = left.join(", "),
                    "Some processes did not die of SIGKILL within {DEATH_LIMIT:?}"
                );
                break;
            }
            let _ = poll(&mut [], Some(&ROUND));
        }
        // What could not be killed is not tried again.
        self.is_reaped = true;
        Ending { status: self.status, killed }
    }

    fn reap_program(&mut self) {
        if self.is_reaped {
            return;
        }
        match waitpid(Some(self.program), WaitOptions::NOHANG) {
            Ok(Some((_, status))) => {
                self.status = Some(ExitStatus::from_raw(status.as_raw()));
                self.is_reaped = true;
            }
            // Somebody else in this process reaped it. Its status is lost.
            Err(Errno::CHILD) => self.is_reaped = true,
            _ => {}
        }
    }

    fn orphans(&self) -> Vec<Relative> {
        let is_ours = |child: &Relative| child.pid != self.program && !self.strangers.0.contains(&child.pid);
        children().into_iter().filter(is_ours).collect()
    }

    /// The same, without a look through all processes where there is no child at all.
    fn orphans_if_any(&self) -> Vec<Relative> {
        if has_no_children() { Vec::new() } else { self.orphans() }
    }
}

impl Drop for Family {
    fn drop(&mut self) {
        if !self.is_reaped {
            self.end();
        }
    }
}

/// Whether this process has no children at all. Much cheaper than to list them.
fn has_no_children() -> bool {
    matches!(waitid(WaitId::All, ended_but_kept()), Err(Errno::CHILD))
}

/// Asks for children that have ended, and leaves them to be reaped.
fn ended_but_kept() -> WaitIdOptions {
    WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT
}

fn reap(pid: Pid) -> Option<ExitStatus> {
    let (_, status) = waitpid(Some(pid), WaitOptions::NOHANG).ok()??;
    Some(ExitStatus::from_raw(status.as_raw()))
}

fn kill(orphan: &Relative) {
    let result = if orphan.leads_group {
        kill_process_group(orphan.pid, Signal::KILL)
    } else {
        kill_process(orphan.pid, Signal::KILL)
    };
    // One that is gone by now is what is wanted; what cannot be killed is reported in the end.
    let _ = result;
}
