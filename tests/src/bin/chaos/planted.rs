//! The planted bug: a proxy before PostgreSQL that takes the check of attempt and status out of the statements that end or
//! renew an attempt. Nothing in the worker is changed; the database merely never hears the condition.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// A condition and what the server hears in its stead. As long as the other, so that the message's length stays right; true
/// of an import that another attempt has taken over or ended.
const CONDITIONS: [(&[u8], &[u8]); 2] = [
    (b"\"baton_ledger\".\"jobs\".\"attempt\" = $", b"\"baton_ledger\".\"jobs\".\"attempt\" >=$"),
    (b"\"baton_ledger\".\"jobs\".\"status\" = $", b"\"baton_ledger\".\"jobs\".\"status\" >=$"),
];
/// Only an UPDATE that has this is guarded by the attempt.
const GUARDED: &[u8] = b"\"baton_ledger\".\"jobs\".\"attempt\" = $";

/// The proxy. It ends with its handle.
pub(crate) struct Planted {
    address: SocketAddr,
    listening: JoinHandle<()>,
}

impl Planted {
    pub(crate) async fn before(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("there is a free port");
        let address = listener.local_addr().expect("a listener has an address");
        let listening = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(pass(client, server));
            }
        });
        Self { address, listening }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Planted {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

async fn pass(client: TcpStream, server: SocketAddr) {
    let Ok(server) = TcpStream::connect(server).await else { return };
    let _ = (client.set_nodelay(true), server.set_nodelay(true));
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let back = tokio::spawn(async move {
        let _ = tokio::io::copy(&mut from_server, &mut to_client).await;
    });
    // A statement of the worker is short and comes in one piece.
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(length @ 1..) = from_client.read(&mut buffer).await {
        falsify(&mut buffer[..length]);
        if to_server.write_all(&buffer[..length]).await.is_err() {
            break;
        }
    }
    let _ = to_server.shutdown().await;
    let _ = back.await;
}

fn falsify(bytes: &mut [u8]) {
    if find(bytes, GUARDED).is_none() {
        return;
    }
    for (condition, replacement) in CONDITIONS {
        let mut begin = 0;
        while let Some(at) = find(&bytes[begin..], condition) {
            let end = begin + at + condition.len();
            bytes[end - replacement.len()..end].copy_from_slice(replacement);
            begin = end;
        }
    }
}

fn find(bytes: &[u8], text: &[u8]) -> Option<usize> {
    bytes.windows(text.len()).position(|window| window == text)
}
