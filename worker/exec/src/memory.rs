//! Whether the kernel killed something for lack of memory. A container's memory is its cgroup's, which counts such kills;
//! where nothing can be read, nothing is claimed.

use std::fs;
use std::path::{Path, PathBuf};

/// The kills that the cgroup has counted so far, by the file that counts them.
#[derive(Clone, Debug)]
pub(crate) struct OomKills {
    counter: Option<PathBuf>,
    before: u64,
}

impl OomKills {
    /// The count before the program starts.
    pub(crate) fn before() -> Self {
        let cgroups = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
        let found = counters(&cgroups).into_iter().find_map(|path| Some((count(&path)?, path)));
        match found {
            Some((before, counter)) => Self { counter: Some(counter), before },
            None => Self { counter: None, before: 0 },
        }
    }

    /// Whether any was added.
    pub(crate) fn any_since(&self) -> bool {
        self.counter.as_deref().and_then(count).is_some_and(|now| now > self.before)
    }
}

fn count(counter: &Path) -> Option<u64> {
    oom_kills(&fs::read_to_string(counter).ok()?)
}

/// The number behind `oom_kill`, in `memory.events` (version 2 of cgroups) and in `memory.oom_control` (version 1).
fn oom_kills(counters: &str) -> Option<u64> {
    counters.lines().find_map(|line| line.strip_prefix("oom_kill ")?.trim().parse().ok())
}

/// Where the count may be, for the lines of `/proc/self/cgroup`. In a container the path is often the host's, and what is
/// mounted is the container's part of it: so the mount itself comes second.
fn counters(cgroups: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for line in cgroups.lines() {
        let mut parts = line.splitn(3, ':').skip(1);
        let (Some(controllers), Some(path)) = (parts.next(), parts.next()) else { continue };
        let path = path.trim_start_matches('/');
        let (mount, counter) = if controllers.is_empty() {
            ("/sys/fs/cgroup", "memory.events")
        } else if controllers.split(',').any(|controller| controller == "memory") {
            ("/sys/fs/cgroup/memory", "memory.oom_control")
        } else {
            continue;
        };
        found.push(Path::new(mount).join(path).join(counter));
        found.push(Path::new(mount).join(counter));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_versions_of_cgroups_are_read() {
        assert_eq!(oom_kills("low 0\nhigh 0\nmax 4\noom 1\noom_kill 3\noom_group_kill 0\n"), Some(3));
        assert_eq!(oom_kills("oom_kill_disable 0\nunder_oom 0\noom_kill 2\n"), Some(2));
        assert_eq!(oom_kills("oom_kill_disable 0\n"), None);
    }

    #[test]
    fn the_own_group_comes_before_the_mount() {
        let files = counters("8:pids:/\n4:memory:/ecs/task/1\n0::/\n");
        let files: Vec<_> = files.iter().filter_map(|path| path.to_str()).collect();
        assert_eq!(
            files,
            [
                "/sys/fs/cgroup/memory/ecs/task/1/memory.oom_control",
                "/sys/fs/cgroup/memory/memory.oom_control",
                "/sys/fs/cgroup/memory.events",
                "/sys/fs/cgroup/memory.events",
            ]
        );
    }
}
