//! What this process is to be before it starts a program: one whose environment and memory the program cannot read, and
//! the parent of every process that loses its own.

use rustix::io::Errno;
use rustix::process::{DumpableBehavior, getpid, set_child_subreaper, set_dumpable_behavior};

/// Prepares this process. Both hold until it ends.
pub(crate) fn prepare() -> Result<(), Errno> {
    // `/proc/PID/environ` has the task token. The kernel shows it to nobody who has not CAP_SYS_PTRACE, not even to the
    // same user, once the process is not dumpable. Containers of Docker and ECS have no such capability, as root neither.
    set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
    // As process 1 it is that already; elsewhere orphans would go to another process and could not be found any more.
    set_child_subreaper(Some(getpid()))
}
