//! The processes that tests of the embedded stack start, and kill: the first argument says which.
#![expect(clippy::unwrap_used, reason = "a part of tests")]

mod function;
mod messages;
mod tasks;

use std::path::PathBuf;

#[tokio::main]
async fn main() {
    let mut arguments = std::env::args_os().skip(1);
    let part = arguments.next().unwrap_or_default();
    let dir = arguments.next().map(PathBuf::from);
    match (part.to_str(), dir) {
        (Some("function"), None) => function::serve(),
        (Some("messages"), Some(dir)) => messages::send(&dir).await,
        (Some("tasks"), Some(dir)) => tasks::run(&dir).await,
        _ => panic!("tests start this, and say which part it has"),
    }
}
