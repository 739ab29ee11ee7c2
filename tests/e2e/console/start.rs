//! Where the console is found, and what it leaves to others.

use std::net::TcpListener;

use e2e::http;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, BufReader};

use super::Console;
use crate::desk::Desk;

#[tokio::test(flavor = "multi_thread")]
async fn a_stack_that_comes_up_serves_the_console_and_says_where() {
    let desk = Desk::new();
    let mut child = desk.command(&["up", "--port", "0", "--json"]).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut json = String::new();
    while serde_json::from_str::<Value>(&json).is_err() {
        json.push_str(&lines.next_line().await.unwrap().unwrap());
    }
    let up: Value = serde_json::from_str(&json).unwrap();
    let url = up["console"].as_str().unwrap();
    let page = http::send(url, "GET", "/", &[], "").await;
    assert!(page.status == 200 && page.body.contains("No worker is at work"), "{page:#?}");
    assert!(!page.body.contains("nothing moves"), "{page:#?}");

    // Beside it, another one looks at the same stack.
    let console = Console::at(&desk, None).await;
    assert!(!console.page("/").await.contains("nothing moves"));
    child.kill().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_console_that_only_looks_is_not_taken_for_a_stack_that_imports() {
    let desk = Desk::new();
    let console = Console::at(&desk, None).await;
    let file = desk.file("a.csv", "id\n1\n").display().to_string();
    for arguments in [&["run", &file, "--table", "people"][..], &["up", "--port", "0"]] {
        desk.baton(arguments)
            .await
            .complains(1, &["another command is looking in the folder", "(process ", "end it first"]);
    }
    let submitted = desk.baton(&["submit", &file, "--table", "people"]).await;
    submitted
        .complains(2, &["no stack is up on .baton", "another command is looking in that folder (process "]);
    desk.baton(&["imports"]).await.complains(0, &["no imports yet"]);
    assert_eq!(console.stop().await, Some(0));
    desk.baton(&["run", &file, "--table", "people", "--create-table"]).await.expect(0, &[]);
}

#[tokio::test]
async fn a_port_of_the_console_that_is_taken_is_named_and_a_token_that_is_short_is_refused() {
    let desk = Desk::new();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    desk.baton(&["console", "--port", &port]).await.complains(1, &[&port, "another port"]);
    desk.baton(&["up", "--port", "0", "--console-port", &port]).await.complains(1, &[&port]);
    let mut command = desk.command(&["console", "--port", "0"]);
    let output = command.env("BATON_CONSOLE_TOKEN", "short").output().await.unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(
        output.status.code() == Some(2) && said.contains("too short") && !said.contains("\"short\""),
        "{said}"
    );
}
