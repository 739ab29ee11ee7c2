//! Tasks that outlived the stack. Where the stack was killed, its children run on with nobody to report to. At the next
//! start they are found by the variable that only they carry, killed, and recorded as stopped.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use rustix::process::{Pid, Signal, kill_process};
use tracing::warn;

use super::task::Stop;
use super::tasks;
use crate::process::Exit;
use crate::store::Store;

/// How often the system is searched before a process that does not go away is given up. A killed process is gone within
/// a search or two.
const SEARCHES: usize = 100;

/// Ends and records what the last run of the stack has left.
pub(super) fn settle(store: &Store) -> anyhow::Result<()> {
    let unfinished = tasks::unfinished(store)?;
    if unfinished.is_empty() {
        return Ok(());
    }
    let killed = kill_all(&unfinished.iter().map(|(arn, _)| arn.clone()).collect());
    for (arn, pid) in unfinished {
        let exit = if killed.contains(&arn) { Exit::Signal(Signal::KILL.as_raw()) } else { Exit::Unknown };
        warn!(task.arn = arn, process.pid = pid, "Task {arn} was running when the stack was killed: {exit}");
        tasks::change(store, &arn, |task| {
            // A stop that was asked for keeps its reason.
            task.stop(Stop::stack_killed());
            task.exit(exit);
        })?;
    }
    Ok(())
}

/// Kills every process of these tasks. Returns the tasks that had any.
fn kill_all(arns: &HashSet<String>) -> HashSet<String> {
    let mut killed = HashSet::new();
    // Again, because a process may start another while it is being looked for.
    for _ in 0..SEARCHES {
        let found = processes_of(arns);
        if found.is_empty() {
            return killed;
        }
        for (pid, arn) in found {
            // It may be gone by itself in the meantime.
            let _ = kill_process(pid, Signal::KILL);
            killed.insert(arn);
        }
        std::thread::yield_now();
    }
    warn!("Processes of the stack's last run cannot be killed");
    killed
}

/// The live processes that carry the ARN of one of these tasks in their environment: not merely one that has the id of
/// an earlier process. A task whose stack is still its parent is none: the file here is a copy of that stack's. Elsewhere than
/// on Linux there is no safe way to see another process's environment: none is found.
fn processes_of(arns: &HashSet<String>) -> HashMap<Pid, String> {
    let (mut found, mut watched) = (HashMap::new(), HashSet::new());
    let Ok(processes) = std::fs::read_dir("/proc") else { return found };
    for process in processes.flatten() {
        let Some(pid) =
            process.file_name().to_str().and_then(|name| name.parse().ok()).and_then(Pid::from_raw)
        else {
            continue;
        };
        // Not readable: another user's, and none of ours.
        let Ok(environment) = std::fs::read(process.path().join("environ")) else { continue };
        let variable = |name: &str| {
            environment.split(|byte| *byte == 0).find_map(|variable| {
                std::str::from_utf8(variable).ok()?.strip_prefix(name)?.strip_prefix('=')
            })
        };
        let Some(arn) = variable(super::TASK_ARN).filter(|arn| arns.contains(*arn)) else { continue };
        let parent = parent_of(&process.path());
        if parent.is_some() && parent == variable(super::AGENT_PID).and_then(|pid| pid.parse().ok()) {
            watched.insert(arn.to_owned());
        }
        found.insert(pid, arn.to_owned());
    }
    found.retain(|_, arn| !watched.contains(arn));
    found
}

/// The id of a process's parent: the second field behind the name, which stands in brackets and may have any in it.
fn parent_of(process: &Path) -> Option<i32> {
    let stat = std::fs::read_to_string(process.join("stat")).ok()?;
    stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()
}
