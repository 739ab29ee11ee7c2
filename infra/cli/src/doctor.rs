//! `baton doctor`: says what is wrong with the set-up, each with what to do.

use std::process::ExitCode;

use ops::doctor::{self, Check, Examined, Status};
use ops::target::Choice;
use ops::text;
use serde::Serialize;

use crate::output::{self, Paint};

/// What was found, as `--json` prints it.
#[derive(Serialize)]
struct Report {
    /// Where it was looked.
    target: Option<String>,
    /// How many checks have this status.
    ok: usize,
    skipped: usize,
    warn: usize,
    fail: usize,
    checks: Vec<Check>,
}

/// Examines the target. Where the configuration is at fault there is none, and `choice` says why.
pub(crate) async fn doctor(choice: anyhow::Result<Choice>, json: bool) -> anyhow::Result<ExitCode> {
    let Examined { target, checks } = Box::pin(doctor::doctor(choice)).await;
    report(target, checks, json)
}

fn report(target: Option<String>, checks: Vec<Check>, json: bool) -> anyhow::Result<ExitCode> {
    let count = |status| checks.iter().filter(|check| check.status == status).count();
    let examined = Report {
        target,
        ok: count(Status::Ok),
        skipped: count(Status::Skipped),
        warn: count(Status::Warn),
        fail: count(Status::Fail),
        checks,
    };
    if json {
        output::json(&examined)?;
    } else {
        examined.target.iter().for_each(|target| output::complain(&format!("target: {target}")));
        examined.checks.iter().flat_map(lines).for_each(|line| output::line(&line));
        output::complain(&match (examined.fail, examined.warn) {
            (0, 0) => "\nnothing is wrong".to_owned(),
            (fail, warn) => format!("\nfail: {fail}, warn: {warn}"),
        });
    }
    Ok(if examined.fail == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The check as lines of text: its advice stands below it.
fn lines(check: &Check) -> Vec<String> {
    let (word, paint) = match check.status {
        Status::Ok => ("ok", Paint::Good),
        Status::Skipped => ("skip", Paint::Plain),
        Status::Warn => ("warn", Paint::Doubtful),
        Status::Fail => ("fail", Paint::Bad),
    };
    let word = output::painted(&text::padded(word, 4), paint);
    let mut lines = vec![format!("{word}  {:<19}  {}", check.check, text::visible(&check.says))];
    lines.extend(check.advice.iter().map(|advice| format!("{:27}{}", "", text::visible(advice))));
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fails_ends_the_command_with_1_and_what_is_warned_of_does_not() {
        let code = |check| format!("{:?}", report(None, vec![check], true).unwrap());
        assert_eq!(code(Check::warn("a", "b", "c")), format!("{:?}", ExitCode::SUCCESS));
        assert_eq!(code(Check::fail("a", "b", "c")), format!("{:?}", ExitCode::FAILURE));
    }
}
