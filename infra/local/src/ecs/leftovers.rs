//! Tasks that outlived the stack. Where the stack was killed, its children run on with nobody to report to. At the next
//! start they are found by the variable that only they carry, killed, and recorded as stopped.

use std::collections::{HashMap, HashSet};

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
/// an earlier process. Elsewhere than on Linux there is no safe way to see another process's environment: none is found.
fn processes_of(arns: &HashSet<String>) -> HashMap<Pid, String> {
    let mut found = HashMap::new();
    let Ok(processes) = std::fs::read_dir("/proc") else { return found };
    for process in processes.flatten() {
        let Some(pid) =
            process.file_name().to_str().and_then(|name| name.parse().ok()).and_then(Pid::from_raw)
        else {
            continue;
        };
        // Not readable: another user's, and none of ours.
        let Ok(environment) = std::fs::read(process.path().join("environ")) else { continue };
        let arn = environment
            .split(|byte| *byte == 0)
            .filter_map(|variable| {
                std::str::from_utf8(variable).ok()?.strip_prefix(super::TASK_ARN)?.strip_prefix('=')
            })
            .find(|arn| arns.contains(*arn));
        if let Some(arn) = arn {
            found.insert(pid, arn.to_owned());
        }
    }
    found
}
