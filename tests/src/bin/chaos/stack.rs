//! The embedded stack as a process of its own, so that it can be killed: what `baton up` is, with limits that let a
//! replaced worker be noticed within seconds. It ends with whoever started it.

use std::path::{Path, PathBuf};
use std::process::{ExitCode, Stdio};
use std::time::Duration;

use e2e::{binaries, wait};
use local_stack::{Config, Limits, Session, Stack};
use rustix::process::{Pid, Signal, kill_process};
use serde::{Deserialize, Serialize};
use tokio::process::{Child, Command};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;

/// Short, and in the order that a deployment's have: a worker beats ten times within its lease; others may take its import
/// over (lease) before its own execution gives it up (heartbeat); a message is held longer than most imports take.
pub(crate) const LIMITS: Limits = Limits {
    visibility_timeout: Duration::from_secs(2),
    hold: Duration::from_secs(15),
    max_receive_count: 6,
    batch_size: 10,
    function_timeout: Duration::from_secs(2),
    run_timeout: Duration::from_secs(60),
    heartbeat: Duration::from_secs(6),
    heartbeat_interval: Duration::from_millis(300),
    stall_limit: Duration::from_secs(4),
    lease: Duration::from_secs(3),
    room: None,
    retry_interval: None,
};

/// What the stack's process is told.
#[derive(Serialize, Deserialize)]
pub(crate) struct Settings {
    pub(crate) data_dir: PathBuf,
    pub(crate) port: u16,
    pub(crate) database_url: String,
    pub(crate) worker_environment: Vec<(String, String)>,
    pub(crate) maximum_imports: u32,
}

/// The stack's process.
pub(crate) struct StackProcess {
    settings: PathBuf,
    log: PathBuf,
    data_dir: PathBuf,
    child: Child,
}

impl StackProcess {
    /// Starts the stack; it answers when this returns.
    pub(crate) async fn start(settings: &Settings) -> Self {
        let file = settings.data_dir.with_extension("json");
        std::fs::write(&file, serde_json::to_vec(settings).unwrap())
            .expect("the run's folder can be written");
        let log = settings.data_dir.with_extension("log");
        let child = spawn(&file, &log);
        let mut stack = Self { settings: file, log, data_dir: settings.data_dir.clone(), child };
        stack.up().await;
        stack
    }

    pub(crate) fn pid(&self) -> Option<Pid> {
        self.child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw)
    }

    /// Ends the process by the signal and starts another on the same folder.
    pub(crate) async fn replace(&mut self, how: Signal) {
        self.end(how).await;
        self.child = spawn(&self.settings, &self.log);
        self.up().await;
    }

    /// Ends the process by the signal.
    pub(crate) async fn end(&mut self, how: Signal) {
        if let Some(pid) = self.pid() {
            let _ = kill_process(pid, how);
        }
        self.child.wait().await.expect("a child can be waited for");
    }

    async fn up(&mut self) {
        let look = async || {
            if self.child.try_wait().is_ok_and(|ended| ended.is_some()) {
                // The port may be somebody's client for a moment, or the folder not yet free.
                self.child = spawn(&self.settings, &self.log);
            }
            let pid = self.child.id();
            Session::of_running_stack(&self.data_dir)
                .ok()
                .flatten()
                .filter(|session| Some(session.pid) == pid)
                .is_some()
        };
        let is_up = wait::within(wait::DEADLINE, look, |is_up| *is_up).await;
        assert!(
            is_up.is_ok(),
            "the stack does not come up:\n{}",
            std::fs::read_to_string(&self.log).unwrap()
        );
    }
}

fn spawn(settings: &Path, log: &Path) -> Child {
    let log =
        std::fs::OpenOptions::new().create(true).append(true).open(log).expect("the log can be written");
    Command::new(std::env::current_exe().expect("a program knows where it lies"))
        .arg("stack")
        .arg(settings)
        .stdin(Stdio::piped())
        .stdout(log.try_clone().expect("a file can be shared"))
        .stderr(log)
        // A signal to the run's group is not one to the stack.
        .process_group(0)
        .kill_on_drop(true)
        .spawn()
        .expect("this program can be started again")
}

/// Is the stack, until it is to stop.
pub(crate) async fn be(settings: &Path) -> ExitCode {
    let settings: Settings =
        serde_json::from_slice(&std::fs::read(settings).expect("the settings can be read"))
            .expect("they are JSON");
    let mut terminate = signal(SignalKind::terminate()).expect("a process can listen for signals");
    let config = Config {
        data_dir: settings.data_dir,
        port: settings.port,
        worker: binaries::path("worker"),
        start_import: binaries::path("start-import"),
        assign_lane: binaries::path("assign-lane"),
        database_url: settings.database_url,
        database: local_stack::DatabaseName::default(),
        is_database_moved: false,
        allowed_tables: "*".to_owned(),
        worker_environment: settings.worker_environment,
        function_environment: Vec::new(),
        fifo: false,
        maximum_imports: settings.maximum_imports,
        limits: LIMITS,
        moving: true,
    };
    let stack = match Stack::start(config).await {
        Ok(stack) => stack,
        Err(error) => {
            println!("{error:#}");
            return ExitCode::FAILURE;
        }
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = left_alone() => {}
    }
    stack.shutdown().await;
    ExitCode::SUCCESS
}

/// Ends when whoever holds the other end of standard input is gone. On a thread that nobody waits for.
fn left_alone() -> oneshot::Receiver<()> {
    let (sender, receiver) = oneshot::channel();
    std::thread::spawn(move || {
        let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
        sender.send(())
    });
    receiver
}
