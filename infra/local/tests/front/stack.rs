//! The stack's port, with a service behind each way in: S3 is the real one, the JSON services answer with what they were
//! asked, the function exits at once.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::sync::Arc;
use std::time::Duration;

use aws_config::{BehaviorVersion, Region};
use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use local_stack::credentials::Credentials;
use local_stack::lambda::{EventSource, EventSourceMapping, Fed, FunctionConfig, Functions, Lambda};
use local_stack::process::BaseEnvironment;
use local_stack::router::{JsonService, Services, serve};
use local_stack::s3::{self, Notification};
use local_stack::wire::{AwsError, Call};
use serde_json::json;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

pub(crate) const KEY: &str = "AKIALOCAL";
pub(crate) const SECRET: &str = "the secret of the stack";
pub(crate) const QUEUE_URL: &str = "http://127.0.0.1/123456789012/imports";
const REGION: &str = "ap-northeast-1";

pub(crate) struct Front {
    address: String,
    server: JoinHandle<()>,
    _dir: TempDir,
}

impl Front {
    /// Starts a stack with a bucket `bucket`, whose events go to `sqs`.
    pub(crate) async fn start(sqs: Call) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let services = services(&dir, sqs);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let server =
            tokio::spawn(async move { serve(listener, services, std::future::pending()).await.unwrap() });
        Self { address, server, _dir: dir }
    }

    /// AWS's client, with the stack's access key and this secret.
    pub(crate) async fn s3(&self, secret: &str) -> aws_sdk_s3::Client {
        let client = Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https();
        let config = aws_config::defaults(BehaviorVersion::latest())
            .http_client(client)
            .endpoint_url(format!("http://{}", self.address))
            .region(Region::from_static(REGION))
            .credentials_provider(aws_sdk_s3::config::Credentials::new(KEY, secret, None, None, "test"))
            .load()
            .await;
        aws_sdk_s3::Client::new(&config)
    }

    /// One request by hand. Returns status, head and body of the answer.
    pub(crate) async fn http(&self, line: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let mut connection = TcpStream::connect(&self.address).await.unwrap();
        let mut request = format!("{line}\r\nhost: {}\r\nconnection: close\r\n", self.address);
        for (name, value) in headers {
            request.push_str(&format!("{name}: {value}\r\n"));
        }
        request.push_str(&format!("content-length: {}\r\n\r\n{body}", body.len()));
        connection.write_all(request.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        connection.read_to_end(&mut answer).await.unwrap();
        let answer = String::from_utf8(answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Answer { status, head: head.to_owned(), body: body.to_owned() }
    }
}

pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Drop for Front {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// What is behind the port, with its files in `dir`.
pub(crate) fn services(dir: &TempDir, sqs: Call) -> Services {
    let credentials = Credentials { access_key: KEY.to_owned(), secret_key: SECRET.to_owned() };
    let objects = dir.path().join("s3");
    s3::create_bucket(&objects, "bucket").unwrap();
    let notification = Notification::new(REGION, QUEUE_URL, sqs);
    let s3 = s3::open(&objects, &credentials, Some(notification)).unwrap();

    let command = dir.path().join("bootstrap");
    fs::write(&command, "#!/bin/sh\nexit 3\n").unwrap();
    fs::set_permissions(&command, fs::Permissions::from_mode(0o700)).unwrap();
    let function = Lambda::open(FunctionConfig {
        name: "start-import".to_owned(),
        command,
        environment: vec![("OWN".to_owned(), "variable".to_owned())],
        base: BaseEnvironment::default(),
        timeout: Duration::from_secs(10),
        memory_megabytes: 128,
        region: REGION.to_owned(),
        account: "123456789012".to_owned(),
        credentials,
        log: dir.path().join("function.log"),
    });
    let source = EventSource {
        queue_url: QUEUE_URL.to_owned(),
        queue_arn: "arn:aws:sqs:ap-northeast-1:123456789012:imports".to_owned(),
        region: REGION.to_owned(),
        batch_size: 10,
    };
    let nothing: Call = Arc::new(|_, _| Box::pin(std::future::pending()));
    let mapping = EventSourceMapping::start(source, Arc::clone(&function), nothing);

    Services {
        sqs: JsonService {
            namespace: "com.amazonaws.sqs",
            query_error: Some(|error| Some(format!("{};Sender", error.code))),
            ..echo("sqs")
        },
        states: echo("states"),
        ecs: echo("ecs"),
        logs: echo("logs"),
        events: echo("events"),
        lambda: Functions::new(vec![Fed { function, mapping }]),
        s3,
        access_key: KEY.to_owned(),
    }
}

/// A service that answers with its name and what it was asked, and refuses `Refuse`.
fn echo(name: &'static str) -> JsonService {
    let call = move |operation: String, body| -> local_stack::wire::Answer {
        Box::pin(async move {
            if operation == "Refuse" {
                let message = "as asked".to_owned();
                return Err(AwsError { code: "Refused".to_owned(), message, status: 400 });
            }
            Ok(json!({"service": name, "operation": operation, "body": body}))
        })
    };
    JsonService { call: Arc::new(call), namespace: "com.amazonaws", query_error: None }
}
