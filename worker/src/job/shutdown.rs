//! Being asked to stop: ECS sends SIGTERM and kills 30 seconds later, a person presses Ctrl-C. The work rolls back, and
//! there is time left to say so.

use std::future::Future;
use std::io;

use tokio::signal::unix::{SignalKind, signal};

/// Listens from now on for SIGTERM and SIGINT. The future ends with the name of the first that comes.
///
/// # Errors
/// Where the process cannot listen for signals.
pub fn requested() -> io::Result<impl Future<Output = &'static str> + Send> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => "SIGTERM",
            _ = interrupt.recv() => "SIGINT",
        }
    })
}
