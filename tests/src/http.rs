//! HTTP requests by hand, for what no client of the tests speaks.

use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// What a server answered.
#[derive(Debug)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The headers, their names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body, as text.
    pub body: String,
}

impl Answer {
    /// The first header of this name, which is in lower case; empty where there is none.
    #[must_use]
    pub fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(header, _)| header == name).map_or("", |(_, value)| value)
    }
}

/// Sends a request to `endpoint` (`http://127.0.0.1:<port>`) and reads the answer: its status and its body, which is JSON.
///
/// # Panics
/// Nobody answers, or not in HTTP.
pub async fn request(
    endpoint: &str,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> (u16, Value) {
    let answer = send(endpoint, method, path, headers, body).await;
    (answer.status, serde_json::from_str(&answer.body).unwrap_or_default())
}

/// Sends a request to `endpoint` (`http://127.0.0.1:<port>`) and reads the answer. A header `host` takes the place of the
/// endpoint's own.
///
/// # Panics
/// Nobody answers, or not in HTTP.
pub async fn send(endpoint: &str, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
    let address = endpoint.trim_start_matches("http://").trim_end_matches('/');
    let mut connection = TcpStream::connect(address).await.expect("somebody listens");
    let mut head = format!("{method} {path} HTTP/1.1\r\nconnection: close\r\n");
    if !headers.iter().any(|(name, _)| *name == "host") {
        head.push_str(&format!("host: {address}\r\n"));
    }
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str(&format!("content-length: {}\r\n\r\n{body}", body.len()));
    connection.write_all(head.as_bytes()).await.expect("the request is taken");
    let mut answer = String::new();
    connection.read_to_string(&mut answer).await.expect("the answer is text");
    let (head, body) = answer.split_once("\r\n\r\n").expect("the answer is HTTP");
    let mut lines = head.lines();
    let status = lines.next().and_then(|line| line.split(' ').nth(1)).and_then(|status| status.parse().ok());
    let headers = lines.filter_map(|line| line.split_once(": "));
    Answer {
        status: status.expect("an answer has a status"),
        headers: headers.map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned())).collect(),
        body: body.to_owned(),
    }
}
