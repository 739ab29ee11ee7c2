//! A queue that gets messages, each of which is told once it is there, until its process is killed.

use std::path::Path;

use serde_json::json;

#[path = "../sqs/queue.rs"]
mod queue;

#[expect(clippy::print_stdout, reason = "what was answered is told to the test")]
pub(crate) async fn send(dir: &Path) {
    let sqs = queue::open(dir);
    let url = queue::create(&sqs, "imports", json!({})).await;
    // An end all the same, for the case that nobody kills it.
    for n in 0..100_000 {
        let answer = queue::send(&sqs, &url, &n.to_string()).await;
        println!("{}", answer["MessageId"].as_str().unwrap());
    }
}
