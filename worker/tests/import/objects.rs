//! S3 on this machine: a whole one, and one that answers as a test tells it to, down to the bytes.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::config::{BehaviorVersion, Credentials, Region};
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::response::IntoResponse as _;
use s3s::auth::SimpleAuth;
use s3s::service::S3ServiceBuilder;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

/// Serves the directory's buckets, at the endpoint that it returns.
pub(crate) fn serve(runtime: &Runtime, directory: &Path) -> String {
    let mut builder = S3ServiceBuilder::new(s3s_fs::FileSystem::new(directory).unwrap());
    builder.set_auth(SimpleAuth::from_single("key", "secret"));
    let service = builder.build();
    let answer = move |request: Request| {
        let service = service.clone();
        async move {
            match service.call(request.map(s3s::Body::http_body_unsync)).await {
                Ok(response) => response.map(Body::new),
                Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
            }
        }
    };
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
    let address = listener.local_addr().unwrap();
    runtime.spawn(async move { axum::serve(listener, Router::new().fallback(answer)).await });
    format!("http://{address}")
}

/// Answers each request with the bytes that `answer` makes of its number and its head, and closes the connection.
pub(crate) fn serve_bytes(
    runtime: &Runtime,
    answer: impl Fn(usize, &str) -> Vec<u8> + Send + Sync + 'static,
) -> aws_sdk_s3::Client {
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
    let address = listener.local_addr().unwrap();
    let answer = Arc::new(answer);
    let requests = Arc::new(AtomicUsize::new(0));
    runtime.spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let (answer, number) = (Arc::clone(&answer), requests.fetch_add(1, Ordering::Relaxed));
            tokio::spawn(async move {
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    match stream.read_u8().await {
                        Ok(byte) => head.push(byte),
                        Err(_) => return,
                    }
                }
                let lower = String::from_utf8_lossy(&head).to_lowercase();
                let length = lower.split_once("content-length: ").map_or("0", |(_, rest)| rest);
                let length: usize = length.split("\r\n").next().unwrap().parse().unwrap();
                // A client that is answered before it has sent all may not hear of it.
                if stream.read_exact(&mut vec![0; length]).await.is_err() {
                    return;
                }
                let answer = answer(number, &String::from_utf8_lossy(&head).to_lowercase());
                // The client may leave first.
                let _ = stream.write_all(&answer).await;
                let _ = stream.shutdown().await;
            });
        }
    });
    client(&format!("http://{address}"))
}

/// The object from `from` on, of which `sent` bytes come before the connection ends.
pub(crate) fn answer(object: &str, etag: &str, from: usize, sent: usize) -> Vec<u8> {
    let (status, range) = match from {
        0 => ("200 OK", String::new()),
        _ => ("206 Partial Content", {
            format!("Content-Range: bytes {from}-{}/{}\r\n", object.len() - 1, object.len())
        }),
    };
    let length = object.len() - from;
    let body = &object[from..(from + sent).min(object.len())];
    format!(
        "HTTP/1.1 {status}\r\nETag: \"{etag}\"\r\n{range}Content-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    )
    .into_bytes()
}

/// A refusal of S3's.
pub(crate) fn error(status: &str, code: &str) -> Vec<u8> {
    let body = format!("<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>no</Message></Error>");
    let length = body.len();
    format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}").into_bytes()
}

/// Where the range that a request asks for begins.
pub(crate) fn range_start(head: &str) -> usize {
    head.split_once("range: bytes=").map_or(0, |(_, rest)| rest.split('-').next().unwrap().parse().unwrap())
}

/// A client that tries once: what is tried again is what the tests look at.
pub(crate) fn client(endpoint: &str) -> aws_sdk_s3::Client {
    let http =
        aws_smithy_http_client::Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https();
    let config = aws_sdk_s3::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .http_client(http)
        .region(Region::new("us-east-1"))
        .credentials_provider(Credentials::new("key", "secret", None, None, "test"))
        .retry_config(RetryConfig::disabled())
        .force_path_style(true)
        .endpoint_url(endpoint)
        .build();
    aws_sdk_s3::Client::from_conf(config)
}
