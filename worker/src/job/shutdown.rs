//! Being asked to stop: ECS sends SIGTERM and kills 30 seconds later, a person presses Ctrl-C. The work rolls back, and
//! there is time left to say so.

use std::future::{Future, pending};
use std::io;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

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

/// A request to stop, as every phase of a job sees it: a phase that begins after the request sees it too.
#[derive(Clone, Debug)]
pub(super) struct Stop(watch::Receiver<Option<&'static str>>);

impl Stop {
    /// Runs `job`, which sees when `shutdown` ends.
    pub(super) async fn during<T, F: Future<Output = T>>(
        shutdown: impl Future<Output = &'static str>,
        job: impl FnOnce(Self) -> F,
    ) -> T {
        let (sender, receiver) = watch::channel(None);
        let listen = async {
            sender.send_replace(Some(shutdown.await));
            pending::<T>().await
        };
        tokio::select! {
            end = job(Self(receiver)) => end,
            end = listen => end,
        }
    }

    /// Waits for the request and returns its reason.
    pub(super) async fn requested(&mut self) -> &'static str {
        match self.0.wait_for(Option::is_some).await.map(|reason| *reason) {
            Ok(Some(reason)) => reason,
            _ => pending().await,
        }
    }
}
