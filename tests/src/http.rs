//! One HTTP request by hand, for what no client of the tests speaks.

use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

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
    let address = endpoint.trim_start_matches("http://");
    let mut connection = TcpStream::connect(address).await.expect("somebody listens");
    let mut head = format!("{method} {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n");
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str(&format!("content-length: {}\r\n\r\n{body}", body.len()));
    connection.write_all(head.as_bytes()).await.expect("the request is taken");
    let mut answer = String::new();
    connection.read_to_string(&mut answer).await.expect("the answer is text");
    let (head, body) = answer.split_once("\r\n\r\n").expect("the answer is HTTP");
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
    (status.expect("an answer has a status"), serde_json::from_str(body).unwrap_or_default())
}
