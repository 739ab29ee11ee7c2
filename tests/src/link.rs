//! A TCP link between two programs of this machine that a test can trouble: it refuses, cuts, stalls, and looks at what
//! passes, so that a connection breaks at one certain moment, such as between a COMMIT and its answer.

mod connection;
mod trouble;

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::net::{TcpListener, TcpSocket};
use tokio::task::JoinHandle;

use crate::wait;
use trouble::Troubles;
pub use trouble::{Direction, Fault};

/// A port on 127.0.0.1 behind which another program answers. It ends with its handle, and with it all its connections.
pub struct Link {
    address: SocketAddr,
    /// Holds the port while nobody listens on it, so that nobody else gets it.
    _placeholder: TcpSocket,
    listening: Mutex<Option<JoinHandle<()>>>,
    target: SocketAddr,
    troubles: Arc<Troubles>,
}

impl Link {
    /// Listens on a free port and passes bytes to and from `target`.
    #[must_use]
    pub fn to(target: SocketAddr) -> Self {
        let placeholder = socket(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)));
        let address = placeholder.local_addr().expect("a socket that is bound has an address");
        let link = Self {
            address,
            _placeholder: placeholder,
            listening: Mutex::default(),
            target,
            troubles: Arc::default(),
        };
        link.accept();
        link
    }

    /// Where the link listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Takes new connections again, after [`Link::refuse`] or [`Fault::GoneAtAnswer`].
    pub fn accept(&self) {
        self.troubles.set_gone(false);
        self.listening.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert_with(|| {
            let listener = socket(self.address).listen(64).expect("the port is the link's own");
            tokio::spawn(listen(listener, self.target, Arc::clone(&self.troubles)))
        });
    }

    /// Refuses new connections, as a machine does on which nothing listens. Open ones stay.
    pub async fn refuse(&self) {
        let listening = self.listening.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(listening) = listening {
            listening.abort();
            // The listener is closed once its task is gone.
            let _ = listening.await;
        }
    }

    /// Breaks all open connections, so that both ends see a reset.
    pub fn cut(&self) {
        self.troubles.cut();
    }

    /// Passes nothing on, and keeps the connections open; new ones too.
    pub fn stall(&self) {
        self.troubles.stall(true);
    }

    /// Goes on after [`Link::stall`], or after [`Fault::Stall`].
    pub fn resume(&self) {
        self.troubles.stall(false);
    }

    /// Breaks the connection that is about to pass the byte behind the next `bytes` of this direction, all connections
    /// counted together.
    pub fn cut_after(&self, direction: Direction, bytes: u64) {
        self.troubles.cut_after(direction, bytes);
    }

    /// Brings about one `fault` on the connection where `predicate` accepts what is about to pass. It is given what was
    /// read at once: a short message of a client stands in it whole.
    pub fn once(
        &self,
        direction: Direction,
        predicate: impl FnMut(&[u8]) -> bool + Send + 'static,
        fault: Fault,
    ) {
        self.troubles.once(direction, Box::new(predicate), fault);
    }

    /// How many faults of [`Link::once`] nothing has met yet.
    #[must_use]
    pub fn armed(&self) -> usize {
        self.troubles.armed()
    }

    /// How many bytes have been passed on in this direction.
    #[must_use]
    pub fn passed(&self, direction: Direction) -> u64 {
        self.troubles.passed(direction)
    }

    /// How many connections are open.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.troubles.connections()
    }

    /// Waits until `count` faults have been brought about by [`Link::once`] and [`Link::cut_after`].
    pub async fn faults(&self, count: usize) {
        let look = async || self.troubles.faults();
        wait::until("faults on the link", look, |faults| *faults >= count).await;
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        if let Some(listening) = self.listening.get_mut().unwrap_or_else(PoisonError::into_inner) {
            listening.abort();
        }
        self.troubles.cut();
    }
}

/// For [`Link::once`]: whether `text` stands in what passes.
pub fn has(text: &str) -> impl FnMut(&[u8]) -> bool + Send + use<> {
    let text = text.to_owned();
    move |bytes| bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

/// A socket on an address that may be bound more than once, as long as only one listens.
fn socket(address: SocketAddr) -> TcpSocket {
    let socket = TcpSocket::new_v4().expect("the system has sockets");
    socket.set_reuseaddr(true).expect("a new socket takes options");
    socket.bind(address).expect("a port of 127.0.0.1 can be bound");
    socket
}

async fn listen(listener: TcpListener, target: SocketAddr, troubles: Arc<Troubles>) {
    while let Ok((client, _)) = listener.accept().await {
        tokio::spawn(connection::pass(client, target, Arc::clone(&troubles)));
    }
}

#[cfg(test)]
mod tests;
