//! What this process is to be before it starts a program: one whose environment and memory the program cannot read, and
//! the parent of every process that loses its own.

use rustix::io::Errno;
use rustix::process::{DumpableBehavior, getpid, set_child_subreaper, set_dumpable_behavior};

/// Prepares this process. Both hold until it ends.
pub(crate) fn prepare() -> Result<(), Errno> {
    // `/proc/PID/environ` has the task token. Once the process is not dumpable, the kernel shows it only to who has
    // CAP_SYS_PTRACE, or CAP_PERFMON since about 6.13: not to the same user, and not to root in a container of Docker or
    // ECS, who has neither by default.
    set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
    // As process 1 it is that already; elsewhere orphans would go to another process and could not be found any more.
    set_child_subreaper(Some(getpid()))
}
