//! The heartbeat that many programs have already: datagrams of sd_notify. `WATCHDOG=1` is a sign of life, `STATUS=` a note,
//! `EXTEND_TIMEOUT_USEC=` a request for patience; all else is known and changes nothing. The socket has a path, since not
//! every client knows abstract names.

use std::fs::Permissions;
use std::io::{self, ErrorKind};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::time::Duration;

use tracing::{debug, warn};

/// What fits into the address of a socket, with the zero at its end.
const PATH_LIMIT: usize = 107;

/// Longer than any message of the protocol.
const DATAGRAM: usize = 8 * 1024;

/// The socket behind `NOTIFY_SOCKET`.
#[derive(Debug)]
pub(crate) struct Notify {
    socket: UnixDatagram,
}

impl Notify {
    /// Listens at this path. None where the path is too long for a socket: the program can do without.
    pub(crate) fn listen(path: &Path) -> io::Result<Option<Self>> {
        if path.as_os_str().as_bytes().len() > PATH_LIMIT {
            warn!(
                "The folder for temporary files has too long a name for a socket: there is no NOTIFY_SOCKET"
            );
            return Ok(None);
        }
        let socket = UnixDatagram::bind(path)?;
        // Writing to a socket needs the right to write.
        std::fs::set_permissions(path, Permissions::from_mode(0o666))?;
        socket.set_nonblocking(true)?;
        Ok(Some(Self { socket }))
    }

    /// The next message that is there.
    pub(crate) fn receive(&self) -> Option<Message> {
        let mut datagram = [0; DATAGRAM];
        // File descriptors that come along are closed by the kernel, which is what a sender of `BARRIER=1` waits for.
        match self.socket.recv(&mut datagram) {
            Ok(length) => Some(Message::parse(datagram.get(..length).unwrap_or_default())),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => None,
            Err(error) => {
                warn!(%error, "Could not read from NOTIFY_SOCKET");
                None
            }
        }
    }
}

impl AsFd for Notify {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

/// What one datagram says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Message {
    pub(crate) watchdog: bool,
    pub(crate) status: Option<String>,
    pub(crate) patience: Option<Duration>,
}

impl Message {
    fn parse(datagram: &[u8]) -> Self {
        let mut message = Self::default();
        for assignment in String::from_utf8_lossy(datagram).split('\n') {
            match assignment.split_once('=') {
                Some(("WATCHDOG", "1")) => message.watchdog = true,
                Some(("STATUS", status)) => message.status = Some(status.trim_end().to_owned()),
                Some(("EXTEND_TIMEOUT_USEC", time)) => {
                    message.patience = time.trim_end().parse().ok().map(Duration::from_micros);
                }
                Some((name @ ("READY" | "STOPPING" | "RELOADING"), "1")) => debug!("The program says {name}"),
                _ => {}
            }
        }
        message
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_datagram_may_say_several_things() {
        let message =
            Message::parse(b"READY=1\nSTATUS=half way = 50 %\nWATCHDOG=1\nEXTEND_TIMEOUT_USEC=1500000\n");
        assert_eq!(
            message,
            Message {
                watchdog: true,
                status: Some("half way = 50 %".to_owned()),
                patience: Some(Duration::from_millis(1500)),
            }
        );
    }

    #[test]
    fn only_a_watchdog_of_1_is_a_sign_of_life() {
        for other in
            ["WATCHDOG=trigger", "WATCHDOG=0", "WATCHDOG", "MAINPID=1", "", "\u{0}", "EXTEND_TIMEOUT_USEC=x"]
        {
            assert_eq!(Message::parse(other.as_bytes()), Message::default(), "{other}");
        }
    }
}
