//! Child processes: what stands for a container or for a function's execution environment. Each is the leader of its
//! own process group, sees the variables that it is given and nothing else of the stack's environment, and is owned by
//! one task, which alone waits for it and signals it: a signal can never reach a process that took over its id.

use std::ffi::OsString;
use std::io;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use tokio::fs::OpenOptions;
use tokio::process::{Child, Command};
use tokio::sync::{mpsc, watch};

/// The variables that every child gets from the stack's own environment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BaseEnvironment(Vec<(OsString, OsString)>);

impl BaseEnvironment {
    /// What a program needs to find other programs and places; never what might be a secret.
    const NAMES: [&str; 5] = ["PATH", "HOME", "TMPDIR", "LANG", "RUST_BACKTRACE"];

    /// Picks the base out of an environment, such as `std::env::vars_os()`.
    pub fn of(variables: impl IntoIterator<Item = (OsString, OsString)>) -> Self {
        Self(
            variables.into_iter().filter(|(name, _)| Self::NAMES.iter().any(|known| name == known)).collect(),
        )
    }
}

/// A program to be run.
pub(crate) struct Program {
    pub(crate) command: PathBuf,
    pub(crate) base: BaseEnvironment,
    /// On top of the base. A later value replaces an earlier one.
    pub(crate) environment: Vec<(String, String)>,
    /// The file that its output is appended to.
    pub(crate) log: PathBuf,
}

/// Why a program was not started.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StartError {
    #[error("failed to open the log {}: {source}", .path.display())]
    Log { path: PathBuf, source: io::Error },
    #[error("failed to start {}: {source}", .command.display())]
    Command { command: PathBuf, source: io::Error },
}

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    Code(i32),
    Signal(i32),
    /// The system would not say.
    Unknown,
}

impl Exit {
    fn of(status: &io::Result<ExitStatus>) -> Self {
        use std::os::unix::process::ExitStatusExt as _;
        match status {
            Ok(status) => status.code().map(Self::Code).or_else(|| status.signal().map(Self::Signal)),
            Err(_) => None,
        }
        .unwrap_or(Self::Unknown)
    }

    /// The exit code as containers report it: 128 and the number of the signal, for one that was killed.
    pub(crate) fn code(self) -> Option<i32> {
        match self {
            Self::Code(code) => Some(code),
            Self::Signal(signal) => Some(128 + signal),
            Self::Unknown => None,
        }
    }
}

impl std::fmt::Display for Exit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Code(code) => write!(f, "exit status {code}"),
            Self::Signal(signal) => write!(f, "signal {signal}"),
            Self::Unknown => f.write_str("an unknown end"),
        }
    }
}

/// A running process. Dropping it kills the process.
pub(crate) struct Process {
    pid: Pid,
    orders: mpsc::UnboundedSender<Signal>,
    exit: watch::Receiver<Option<Exit>>,
}

impl Process {
    pub(crate) async fn start(program: Program) -> Result<Self, StartError> {
        let Program { command, base, environment, log: path } = program;
        let opened = async {
            let log = OpenOptions::new().create(true).append(true).mode(0o600).open(&path).await?;
            let log = log.into_std().await;
            Ok((log.try_clone()?, log))
        };
        let (stdout, stderr) = opened.await.map_err(|source| StartError::Log { path, source })?;
        let child = Command::new(&command)
            .env_clear()
            .envs(base.0)
            .envs(environment)
            .stdin(Stdio::null())
            .stdout(stdout)
            .stderr(stderr)
            .process_group(0)
            // The stack may be dropped without having been shut down, as by a test that fails.
            .kill_on_drop(true)
            .spawn();
        let started = child.and_then(|child| {
            let id = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
            Ok((id.ok_or_else(|| io::Error::other("the process has no id"))?, child))
        });
        let (pid, child) = started.map_err(|source| StartError::Command { command, source })?;
        let (orders, received) = mpsc::unbounded_channel();
        let (ended, exit) = watch::channel(None);
        tokio::spawn(own(child, pid, received, ended));
        Ok(Self { pid, orders, exit })
    }

    pub(crate) fn pid(&self) -> i32 {
        self.pid.as_raw_nonzero().get()
    }

    pub(crate) fn has_exited(&self) -> bool {
        self.exit.borrow().is_some()
    }

    /// Waits for the end.
    pub(crate) async fn exited(&self) -> Exit {
        let mut exit = self.exit.clone();
        let ended = exit.wait_for(Option::is_some).await;
        ended.ok().and_then(|exit| *exit).unwrap_or(Exit::Unknown)
    }

    /// Asks the process to end, and kills it and all its children if it has not within `grace`.
    pub(crate) async fn stop(&self, grace: Duration) -> Exit {
        self.order(Signal::TERM);
        match tokio::time::timeout(grace, self.exited()).await {
            Ok(exit) => exit,
            Err(_) => self.kill().await,
        }
    }

    /// Kills the process and all its children.
    pub(crate) async fn kill(&self) -> Exit {
        self.order(Signal::KILL);
        self.exited().await
    }

    fn order(&self, signal: Signal) {
        // Nobody takes the order of a process that has ended: then there is nothing to do.
        let _ = self.orders.send(signal);
    }
}

async fn own(
    mut child: Child,
    pid: Pid,
    mut orders: mpsc::UnboundedReceiver<Signal>,
    ended: watch::Sender<Option<Exit>>,
) {
    let status = loop {
        tokio::select! {
            status = child.wait() => break status,
            order = orders.recv() => match order {
                // As in a container: the first process is asked to stop, all are killed.
                Some(Signal::TERM) => drop(kill_process(pid, Signal::TERM)),
                Some(signal) => drop(kill_process_group(pid, signal)),
                None => {
                    let _ = kill_process_group(pid, Signal::KILL);
                    break child.wait().await;
                }
            }
        }
    };
    // A container ends with its first process: whatever that one has left behind goes too.
    let _ = kill_process_group(pid, Signal::KILL);
    ended.send_replace(Some(Exit::of(&status)));
}
