//! The programs of others: found or not found, run within a bound of time, and stopped by their own process if they do not
//! end.

use std::ffi::OsStr;
use std::process::{Output, Stdio};
use std::time::{Duration, Instant};

use tokio::process::Command;

use crate::contest::Run;
use crate::cpu::Clocks;

/// How long a program may take: several times what the slowest one needs for a million rows.
const DEADLINE: Duration = Duration::from_secs(3600);

/// Whether a program is there and answers this call.
pub(crate) async fn answers(program: impl AsRef<OsStr>, arguments: &[&str]) -> bool {
    let mut command = Command::new(program);
    command.args(arguments);
    ended(&mut command).await.is_ok_and(|output| output.status.success())
}

/// Runs a program to its end.
///
/// # Errors
/// What it said, where it failed.
pub(crate) async fn timed(mut command: Command, clocks: Clocks) -> Result<Run, String> {
    let before = clocks.read();
    let started = Instant::now();
    let output = ended(&mut command).await?;
    let wall = started.elapsed();
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        let last: Vec<_> = said.lines().rev().take(3).collect();
        return Err(last.into_iter().rev().collect::<Vec<_>>().join(" "));
    }
    Ok(Run { wall, own: None, cpu: clocks.read() - before, peak_kibibytes: None })
}

async fn ended(command: &mut Command) -> Result<Output, String> {
    let running = command.stdin(Stdio::null()).kill_on_drop(true).output();
    match tokio::time::timeout(DEADLINE, running).await {
        Ok(output) => output.map_err(|error| error.to_string()),
        Err(_) => Err(format!("it did not end within {} s", DEADLINE.as_secs())),
    }
}
