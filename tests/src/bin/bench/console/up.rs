//! `baton up` on the folder, and its clients.

use std::path::Path;
use std::process::Stdio;

use e2e::{binaries, wait};
use local_stack::Session;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};

use super::PATIENCE;

/// A stack that is up.
pub(super) struct Up {
    process: Child,
    /// `127.0.0.1:<port>` of the console.
    console: String,
    pub(super) session: Session,
    pub(super) sfn: aws_sdk_sfn::Client,
    pub(super) sqs: aws_sdk_sqs::Client,
    pub(super) s3: aws_sdk_s3::Client,
}

impl Up {
    pub(super) async fn start(data_dir: &Path) -> Self {
        let mut process = Command::new(binaries::path("baton"))
            .args(["up", "--port", "0", "--json", "--data-dir"])
            .arg(data_dir)
            .env_remove("DATABASE_URL")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .expect("baton starts");
        let look = async || Session::of_running_stack(data_dir).ok().flatten();
        let up = wait::within(PATIENCE, look, Option::is_some).await.ok().flatten();
        let session = up.expect("the stack comes up");
        let console = console(&mut process).await;
        let config = e2e::aws::config(&session).await;
        let s3 = aws_sdk_s3::config::Builder::from(&config).force_path_style(true).build();
        Self {
            process,
            console,
            sfn: aws_sdk_sfn::Client::new(&config),
            sqs: aws_sdk_sqs::Client::new(&config),
            s3: aws_sdk_s3::Client::from_conf(s3),
            session,
        }
    }

    /// A page of the console, as a browser would ask for it.
    pub(super) async fn page(&self, path: &str) -> String {
        let mut connection = TcpStream::connect(&self.console).await.expect("the console listens");
        let request = format!("GET {path} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n\r\n", self.console);
        connection.write_all(request.as_bytes()).await.expect("the request is taken");
        let mut answer = String::new();
        connection.read_to_string(&mut answer).await.expect("the answer is text");
        assert!(answer.starts_with("HTTP/1.1 200 "), "{path}: {answer}");
        answer
    }

    pub(super) async fn stop(mut self) {
        let pid = self.process.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        kill_process(pid.expect("the stack runs"), Signal::TERM).expect("the stack takes a signal");
        self.process.wait().await.expect("the stack ends");
    }
}

/// Where the console is: `baton up --json` says so in its one document.
async fn console(process: &mut Child) -> String {
    let mut stdout = process.stdout.take().expect("stdout is a pipe");
    let mut said = Vec::new();
    let document: Value = loop {
        let read = stdout.read_buf(&mut said).await.expect("stdout can be read");
        assert!(read > 0, "baton up has ended");
        if let Ok(document) = serde_json::from_slice(&said) {
            break document;
        }
    };
    let url = document["console"].as_str().expect("baton up serves the console");
    url.trim_start_matches("http://").split('/').next().unwrap_or_default().to_owned()
}
