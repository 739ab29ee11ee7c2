//! The direct children of this process, as `/proc` shows them. `waitid` would say that there are some, but not which.

use std::fmt;
use std::fs;

use rustix::process::{Pid, getpid};

/// A child of this process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Relative {
    pub(super) pid: Pid,
    pub(super) name: String,
    /// It has ended and waits to be reaped.
    pub(super) has_ended: bool,
    /// It is the leader of its process group.
    pub(super) leads_group: bool,
}

impl fmt::Display for Relative {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} ({})", self.name, self.pid.as_raw_nonzero())
    }
}

/// All children of this process, started by it or left to it.
pub(super) fn children() -> Vec<Relative> {
    let us = getpid().as_raw_nonzero().get();
    let Ok(processes) = fs::read_dir("/proc") else {
        return Vec::new();
    };
    processes
        .filter_map(|entry| {
            let name = entry.ok()?.file_name();
            let pid: i32 = name.to_str()?.parse().ok()?;
            let stat = fs::read(format!("/proc/{pid}/stat")).ok()?;
            child_in(&String::from_utf8_lossy(&stat), us)
        })
        .collect()
}

/// The process of this line of `/proc/PID/stat`, where `parent` is its parent. The name may have spaces and brackets in it.
fn child_in(stat: &str, parent: i32) -> Option<Relative> {
    let (head, fields) = stat.rsplit_once(") ")?;
    let (pid, name) = head.split_once(" (")?;
    let pid: i32 = pid.parse().ok()?;
    let mut fields = fields.split(' ');
    let state = fields.next()?;
    let parent_of_it: i32 = fields.next()?.parse().ok()?;
    let group: i32 = fields.next()?.parse().ok()?;
    (parent_of_it == parent).then_some(Relative {
        pid: Pid::from_raw(pid)?,
        name: name.to_owned(),
        has_ended: matches!(state, "Z" | "X"),
        leads_group: group == pid,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_may_look_like_the_rest_of_the_line() {
        let stat = "42 (a) S 1 (b) Z 7 42 42 0 -1 4194560";
        let child = child_in(stat, 7).unwrap();
        assert_eq!((child.name.as_str(), child.has_ended, child.leads_group), ("a) S 1 (b", true, true));
        assert_eq!(child_in(stat, 8), None);
        assert_eq!(child_in("nonsense", 7), None);
    }
}
