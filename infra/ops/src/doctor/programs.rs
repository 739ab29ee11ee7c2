//! The programs that belong beside `baton`: an embedded stack runs them.

use std::process::Command;

use super::check::Check;
use crate::target::local;

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// One check for each program.
pub(super) fn checks() -> Vec<Check> {
    vec![Check::ok("baton", VERSION), worker(), function("start-import"), function("assign-lane")]
}

fn worker() -> Check {
    let path = match local::sibling("worker") {
        Ok(path) => path,
        Err(error) => return missing("worker", &error),
    };
    let said = Command::new(&path).arg("--version").output();
    let said = said.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
    match said {
        Ok(said) if said == format!("worker {VERSION}") => Check::ok("worker", VERSION),
        Ok(said) => Check::fail(
            "worker",
            format!("{} says it is {said:?}, and this is baton {VERSION}", path.display()),
            "build or install both of one version",
        ),
        Err(error) => Check::fail(
            "worker",
            format!("{} does not start: {error}", path.display()),
            "build or install it again",
        ),
    }
}

/// It speaks to Lambda alone and has no words for a terminal: that it is there is all that can be said.
fn function(name: &'static str) -> Check {
    match local::sibling(name) {
        Ok(path) => Check::ok(name, path.display().to_string()),
        Err(error) => missing(name, &error),
    }
}

/// A deployment has its own.
fn missing(program: &'static str, error: &anyhow::Error) -> Check {
    Check::warn(program, error.to_string(), "an embedded stack needs it; a deployment has its own")
}
