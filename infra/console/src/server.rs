//! The console's listener: bound first, served while the program runs, and ended with it.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use axum::Router;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::Response;
use axum::serve::ListenerExt as _;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::error::PageError;
use crate::layout::{self, Nav};
use crate::state::{Console, Shared};
use crate::{admit, dead_letters, error, files, guard, import, imports, overview, sign_in, upload};

/// How long requests that are under way may take to end.
const GRACE: Duration = Duration::from_secs(2);

/// An address that the console has.
pub struct Address {
    listener: TcpListener,
    local: SocketAddr,
}

impl Address {
    /// Takes an address.
    ///
    /// # Errors
    /// Another program has it.
    pub async fn bind(ip: IpAddr, port: u16) -> anyhow::Result<Self> {
        let wanted = SocketAddr::new(ip, port);
        let listener = TcpListener::bind(wanted).await.with_context(|| {
            format!("the console cannot listen on {wanted}; another port is needed (0 takes a free one)")
        })?;
        let local = listener.local_addr().context("a listener has an address")?;
        Ok(Self { listener, local })
    }

    /// Where it is.
    #[must_use]
    pub fn local(&self) -> SocketAddr {
        self.local
    }
}

/// A console that is served.
pub struct Server {
    console: Shared,
    stop: oneshot::Sender<()>,
    serving: JoinHandle<()>,
}

impl Server {
    /// Serves the console from now on.
    #[must_use]
    pub fn start(address: Address, console: Console) -> Self {
        let console = Arc::new(console);
        let (stop, stopped) = oneshot::channel::<()>();
        // The small answers of fragments must not wait for the client's delayed acknowledgement.
        let listener = address.listener.tap_io(|connection| {
            if let Err(error) = connection.set_nodelay(true) {
                tracing::debug!(%error, "Failed to set TCP_NODELAY");
            }
        });
        let serving = axum::serve(listener, router(Arc::clone(&console))).with_graceful_shutdown(async {
            // Whether told to or left: both end it.
            let _ = stopped.await;
        });
        let serving = tokio::spawn(async move {
            if let Err(error) = serving.await {
                tracing::error!(%error, "The console ended");
            }
        });
        Self { console, stop, serving }
    }

    /// Ends the console, and the stack inside it if there is one.
    pub async fn stop(self) {
        let _ = self.stop.send(());
        let abort = self.serving.abort_handle();
        if tokio::time::timeout(GRACE, self.serving).await.is_err() {
            abort.abort();
        }
        match Arc::try_unwrap(self.console) {
            Ok(console) => console.target.close().await,
            Err(_) => tracing::debug!("A request is still under way; the stack ends with the process"),
        }
    }
}

fn router(console: Shared) -> Router {
    let guard = Arc::clone(&console.guard);
    let guarded = pages()
        .merge(sign_in::routes(Arc::clone(&guard)))
        .fallback(no_such_page)
        .method_not_allowed_fallback(error::wrong_method)
        .layer(from_fn_with_state(Arc::clone(&guard), admit::admit));
    guarded
        .merge(files::routes())
        .layer(from_fn_with_state(guard, admit::admit_host))
        .layer(DefaultBodyLimit::max(guard::MAX_FORM))
        .layer(from_fn(admit::protect))
        .with_state(console)
}

fn pages() -> Router<Shared> {
    Router::new()
        .merge(overview::routes())
        .merge(imports::routes())
        .merge(import::routes())
        .merge(upload::routes())
        .merge(dead_letters::routes())
}

/// Answers for addresses that lead nowhere.
async fn no_such_page(State(console): State<Shared>, request: Request) -> Response {
    let error = PageError::not_found(format!("There is no page {}", request.uri().path()));
    error.on_page(|title, body| layout::page(&console.foot(), title, Nav::None, body))
}
