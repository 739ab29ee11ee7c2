//! What the caller decides: which program runs, for which job, and what its signs of life and its exit codes mean. Nothing
//! here starts anything.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::Value;

/// The largest input, in bytes of JSON, that is also passed in `BATON_INPUT`. The kernel takes at most 128 KiB for one
/// variable, name included, and a program passes its variables on to all that it starts: a quarter leaves room.
pub const INPUT_VARIABLE_LIMIT: usize = 32 * 1024;

/// A program that does the work of a job.
#[derive(Clone, Debug)]
pub struct Program {
    /// The program, which is looked up in `PATH` where it has no slash, and its arguments.
    pub command: Vec<OsString>,
    /// The folder that it starts in; ours, where there is none.
    pub workdir: Option<PathBuf>,
    /// Variables beside those that it inherits.
    pub variables: Vec<(OsString, OsString)>,
    /// Variables that it must not inherit, beside `TASK_TOKEN`, which no program inherits.
    pub withheld: Vec<OsString>,
    /// What counts as a sign that it gets on.
    pub beat: Beat,
    /// How long the caller waits for such a sign. The program is told in `WATCHDOG_USEC`, where its beats count.
    pub stall_limit: Option<Duration>,
    /// What its exit codes mean.
    pub exit_codes: ExitCodes,
    /// The time between SIGTERM and SIGKILL. ECS leaves 30 seconds, in which the end must be reported, too.
    pub grace: Duration,
    /// Where the private folder of a run is made; the system's folder for temporary files, where there is none.
    pub scratch: Option<PathBuf>,
}

impl Program {
    /// A program with the defaults: 20 seconds of grace, [`Beat::Auto`], exit code 0 is done and 75 is tried again.
    pub fn new<I>(command: I) -> Self
    where
        I: IntoIterator,
        I::Item: Into<OsString>,
    {
        Self {
            command: command.into_iter().map(Into::into).collect(),
            workdir: None,
            variables: Vec::new(),
            withheld: Vec::new(),
            beat: Beat::default(),
            stall_limit: None,
            exit_codes: ExitCodes::default(),
            grace: Duration::from_secs(20),
            scratch: None,
        }
    }
}

/// What counts as a sign that a program gets on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Beat {
    /// Output, until the program has used the progress channel or the watchdog; from then on these alone.
    #[default]
    Auto,
    /// A `done` that grows, or `WATCHDOG=1`.
    Progress,
    /// Anything that the program writes: to stdout, to stderr, to the progress channel, to `NOTIFY_SOCKET`.
    Output,
    /// That the process is there.
    Always,
}

/// What the exit codes of a program mean. A code in neither list is a failure that is final.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExitCodes {
    /// The work is done. A code in both lists is done.
    pub done: Vec<i32>,
    /// The work failed and may be tried again.
    pub retried: Vec<i32>,
}

/// What one exit code means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExitClass {
    /// The work is done.
    Done,
    /// The work failed and may be tried again.
    Retried,
    /// The work failed for good.
    Final,
}

impl Default for ExitCodes {
    /// 75 is `EX_TEMPFAIL` of sysexits.h. 137 and 143 are how a shell passes on that its last command was killed by SIGKILL
    /// or SIGTERM: what is retried without a shell in between is retried with one, too.
    fn default() -> Self {
        Self { done: vec![0], retried: vec![75, 137, 143] }
    }
}

impl ExitCodes {
    /// What this code means.
    #[must_use]
    pub fn class(&self, code: i32) -> ExitClass {
        if self.done.contains(&code) {
            ExitClass::Done
        } else if self.retried.contains(&code) {
            ExitClass::Retried
        } else {
            ExitClass::Final
        }
    }
}

/// What the program is told of its job.
#[derive(Clone, Debug)]
pub struct JobFacts {
    /// The job's id.
    pub id: String,
    /// The job's kind.
    pub kind: String,
    /// Which attempt at the job this is, from 1.
    pub attempt: u32,
    /// The input of the job.
    pub input: Value,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_done_retried_or_final() {
        let codes = ExitCodes::default();
        assert_eq!(codes.class(0), ExitClass::Done);
        assert_eq!(codes.class(75), ExitClass::Retried);
        assert_eq!(codes.class(137), ExitClass::Retried);
        assert_eq!(codes.class(1), ExitClass::Final);
        let codes = ExitCodes { done: vec![0, 4], retried: vec![4] };
        assert_eq!(codes.class(4), ExitClass::Done, "in both lists");
        assert_eq!(codes.class(75), ExitClass::Final, "the caller's lists replace the default");
    }
}
