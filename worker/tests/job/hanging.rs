//! A database that hangs, beside a source from which a little comes all the time. Bytes that are read hide neither that the
//! database does nothing any more, nor is a source that is slow taken for a worker that is dead.

use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use statemachine::ExitCode;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use worker::config::AllowedTables;
use worker::job::Patience;

use super::fixture::{TestDatabase, import, run};
use crate::import::objects;
use crate::step_functions::StepFunctions;

/// What a proxy does with its connections.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Line {
    Open,
    /// Nothing goes through, in neither direction.
    Hangs,
    Cut,
}

/// A line to the server behind this URL, and the URL of its near end.
async fn line_to(url: &str) -> (String, watch::Sender<Line>) {
    let (login, rest) = url.split_once('@').unwrap();
    let (server, name) = rest.split_once('/').unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let near = format!("{login}@{}/{name}", listener.local_addr().unwrap());
    let (set, line) = watch::channel(Line::Open);
    let server = server.to_owned();
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            tokio::spawn(connect(client, server.clone(), line.clone()));
        }
    });
    (near, set)
}

async fn connect(mut client: TcpStream, server: String, mut line: watch::Receiver<Line>) {
    let mut server = TcpStream::connect(server).await.unwrap();
    tokio::select! {
        _ = copy_bidirectional(&mut client, &mut server) => return,
        _ = line.wait_for(|line| *line != Line::Open) => {}
    }
    let _ = line.wait_for(|line| *line == Line::Cut).await;
}

/// A store whose one object has a row more every few milliseconds, and no end. It counts them.
async fn dripping_store() -> (aws_sdk_s3::Client, Arc<AtomicU64>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = objects::client(&format!("http://{}", listener.local_addr().unwrap()));
    let rows = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&rows);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = stream.read(&mut [0; 10_000]).await;
            let head = b"HTTP/1.1 200 OK\r\nETag: \"e1\"\r\nContent-Length: 1000000000\r\n\r\nname\n";
            // Enough to see how the file is written.
            let rows = "ann\n".repeat(50_000);
            let mut sent = stream.write_all(&[head.as_slice(), rows.as_bytes()].concat()).await;
            while sent.is_ok() {
                counted.fetch_add(1, Relaxed);
                tokio::time::sleep(Duration::from_millis(5)).await;
                sent = stream.write_all(b"ann\n").await;
            }
        }
    });
    (client, rows)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_source_is_waited_for_and_hides_no_database_that_hangs() {
    let test = TestDatabase::postgres();
    let (url, line) = line_to(&test.url).await;
    let (s3, rows) = dripping_store().await;
    let server = StepFunctions::start().await;
    let import = serde_json::to_string(&import()).unwrap();
    let config = test.config(&[("DATABASE_URL", &url), ("IMPORT", &import), ("STALL_LIMIT_SECONDS", "1")]);
    let runtime = tokio::runtime::Handle::current();
    let work = move |job: &_, database: &_| {
        let allowed = AllowedTables::parse("*").unwrap();
        worker::import::run(job, database, &allowed, &s3, &runtime)
    };
    let patience = Patience { record: Duration::from_secs(1), ..Patience::default() };
    let import = run(&config, server.client(), patience, pending(), work);
    let story = async {
        // For several times the stall limit.
        server.wait_for_beats(200).await;
        line.send(Line::Hangs).unwrap();
        server.wait_for_quiet(Duration::from_millis(1500)).await;
        let (beats, read) = (server.beats(), rows.load(Relaxed));
        assert!(beats >= 200 && server.reports().is_empty());
        line.send(Line::Cut).unwrap();
        (beats, read)
    };
    let (code, (beats, read)) = tokio::join!(import, story);
    assert_eq!(code, ExitCode::FailureReported);
    assert!(server.beats() >= beats && read > 0 && test.people() == 0);
}
