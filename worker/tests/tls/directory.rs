//! What stands for IAM behind a PostgreSQL of the tests. RDS has PAM judge a token; this PostgreSQL asks a directory, by LDAP
//! (RFC 4511, 4.2), whether the password is right.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// LDAP's result codes.
const SUCCESS: u8 = 0;
const INVALID_CREDENTIALS: u8 = 49;

/// A directory on a free port of 127.0.0.1, until the process ends.
pub(super) struct Directory {
    pub(super) port: u16,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Directory {
    /// Lets in whoever brings a password that `accept` accepts.
    pub(super) fn start(accept: impl Fn(&str) -> bool + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (port, asked) = (listener.local_addr().unwrap().port(), Arc::<Mutex<Vec<_>>>::default());
        let seen = Arc::clone(&asked);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let (id, password) = bind_request(&mut stream);
                let result = if accept(&password) { SUCCESS } else { INVALID_CREDENTIALS };
                seen.lock().unwrap().push(password);
                // A BindResponse: the result, no matched name, no message.
                let response = [0x30, 12, 2, 1, id, 0x61, 7, 0x0a, 1, result, 4, 0, 4, 0];
                stream.write_all(&response).unwrap();
                // Until the other side takes its leave.
                let _ = stream.read_to_end(&mut Vec::new());
            }
        });
        Self { port, asked }
    }

    /// The passwords that it was asked about so far.
    pub(super) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

/// The message's id and the password of a simple bind.
fn bind_request(stream: &mut TcpStream) -> (u8, String) {
    let message = element(stream, 0x30);
    let message = &mut message.as_slice();
    let id = element(message, 2)[0];
    let request = element(message, 0x60);
    let request = &mut request.as_slice();
    let (_version, _name) = (element(request, 2), element(request, 4));
    (id, String::from_utf8(element(request, 0x80)).unwrap())
}

/// The contents of the next element, which must have this tag.
fn element(from: &mut impl Read, tag: u8) -> Vec<u8> {
    let mut head = [0; 2];
    from.read_exact(&mut head).unwrap();
    assert_eq!(head[0], tag);
    let mut length = usize::from(head[1]);
    if length >= 0x80 {
        let mut bytes = vec![0; length - 0x80];
        from.read_exact(&mut bytes).unwrap();
        length = bytes.iter().fold(0, |length, byte| length << 8 | usize::from(*byte));
    }
    let mut contents = vec![0; length];
    from.read_exact(&mut contents).unwrap();
    contents
}
