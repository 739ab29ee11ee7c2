//! A Lambda function that does what its event says.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use serde_json::{Value, json};

#[expect(clippy::disallowed_methods, reason = "what the function sees is what is tested")]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

pub(crate) fn serve() {
    let api = variable("AWS_LAMBDA_RUNTIME_API").unwrap();
    let mut invocations = 0;
    loop {
        let (head, event) = http(&api, "GET", "next", "");
        let header = |name: &str| {
            head.lines()
                .find_map(|line| line.strip_prefix(&format!("{name}: ")))
                .unwrap_or_default()
                .to_owned()
        };
        let id = header("lambda-runtime-aws-request-id");
        invocations += 1;
        let event: Value = serde_json::from_str(&event).unwrap();
        let order = match event["Records"][0]["body"].as_str() {
            Some(body) => serde_json::from_str(body).unwrap(),
            None => event.clone(),
        };
        match order["do"].as_str().unwrap() {
            "tell" => {
                let telling = json!({
                    "invocation": invocations,
                    "arn": header("lambda-runtime-invoked-function-arn"),
                    "deadline_ms": header("lambda-runtime-deadline-ms").parse::<u64>().unwrap(),
                    "trace_id": header("lambda-runtime-trace-id"),
                    "name": variable("AWS_LAMBDA_FUNCTION_NAME"),
                    "region": variable("AWS_REGION"),
                    "access_key": variable("AWS_ACCESS_KEY_ID"),
                    "own": variable("OWN"),
                    "memory": variable("AWS_LAMBDA_FUNCTION_MEMORY_SIZE"),
                });
                http(&api, "POST", &format!("{id}/response"), &telling.to_string());
            }
            "answer" => drop(http(&api, "POST", &format!("{id}/response"), &order["answer"].to_string())),
            "fail" => {
                let error = json!({"errorType": "Sorry", "errorMessage": "cannot"});
                http(&api, "POST", &format!("{id}/error"), &error.to_string());
            }
            "speak no JSON" => drop(http(&api, "POST", &format!("{id}/response"), "noise")),
            "answer under another id" => {
                let (refused, _) = http(&api, "POST", "no-such-id/response", "{}");
                let status = refused.lines().next().unwrap();
                http(&api, "POST", &format!("{id}/response"), &json!(status).to_string());
                let (late, _) = http(&api, "POST", &format!("{id}/response"), "{}");
                assert!(late.starts_with("HTTP/1.1 400"), "{late}");
            }
            "forget" => {}
            "die" => std::process::abort(),
            "hang" => loop {
                std::thread::park();
            },
            other => panic!("{other}"),
        }
    }
}

/// One request to the Runtime API. Returns head and body of the answer.
fn http(api: &str, method: &str, path: &str, body: &str) -> (String, String) {
    let mut connection = TcpStream::connect(api).unwrap();
    let length = body.len();
    write!(
        connection,
        "{method} /2018-06-01/runtime/invocation/{path} HTTP/1.1\r\nhost: {api}\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}"
    )
    .unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.to_owned(), body.to_owned())
}
