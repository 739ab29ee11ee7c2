//! The most memory that a stack's worker ever had. The system keeps that figure as long as the process lives, so looking now
//! and then is enough: the last look before the end is near the truth.

use rustix::process::Pid;

use crate::TestStack;

/// The peak of the workers of one stack, as far as it was looked at.
pub struct PeakMemory<'a> {
    stack: &'a TestStack,
    worker: Option<Pid>,
    kibibytes: u32,
}

impl<'a> PeakMemory<'a> {
    /// Nothing seen yet.
    #[must_use]
    pub fn of(stack: &'a TestStack) -> Self {
        Self { stack, worker: None, kibibytes: 0 }
    }

    /// Looks at the worker that runs now, and says whether one does.
    pub fn look(&mut self) -> bool {
        // Finding it means a walk through all processes; looking at the one that is known costs nothing.
        if let Some(kibibytes) = self.worker.and_then(high_water_mark) {
            self.kibibytes = kibibytes.max(self.kibibytes);
        } else {
            self.worker = self.stack.workers().pop();
        }
        self.worker.is_some()
    }

    /// The most that was seen, in KiB; `None` where no worker was met.
    #[must_use]
    pub fn kibibytes(&self) -> Option<u32> {
        (self.kibibytes > 0).then_some(self.kibibytes)
    }
}

/// `VmHWM` of a process in KiB; `None` where it is gone.
#[must_use]
pub fn high_water_mark(pid: Pid) -> Option<u32> {
    let status = std::fs::read_to_string(format!("/proc/{}/status", pid.as_raw_nonzero())).ok()?;
    status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?.split_whitespace().next()?.parse().ok()
}
