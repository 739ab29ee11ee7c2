//! How the stack's listeners treat their connections.

use axum::serve::{Listener, ListenerExt as _};
use tokio::net::TcpListener;

/// A listener whose small answers do not wait for the client's delayed acknowledgement, which takes 40 ms on Linux.
pub(crate) fn without_delay(listener: TcpListener) -> impl Listener<Addr = std::net::SocketAddr> {
    listener.tap_io(|connection| {
        if let Err(error) = connection.set_nodelay(true) {
            tracing::debug!(%error, "Failed to set TCP_NODELAY");
        }
    })
}
