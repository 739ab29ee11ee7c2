//! Short runs of the chaos program: many imports while everything fails, and the audit afterwards. Long ones are run by
//! hand; `tests/README.md` says how.

use std::time::Duration;

use e2e::binaries;
use tokio::process::Command;

/// Far more than a run takes: it gives up by itself.
const PATIENCE: Duration = Duration::from_secs(600);

/// Whether the audit passed, and what the run printed.
async fn chaos(arguments: &[&str]) -> (bool, String) {
    let mut run = Command::new(binaries::path("chaos"));
    // It crashes its database, which is not to be that of other tests.
    run.args(arguments).env_remove("BATON_TESTS_POSTGRES_PORT").kill_on_drop(true);
    let run = run.output();
    let output = tokio::time::timeout(PATIENCE, run).await.unwrap().unwrap();
    let printed = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    (output.status.success(), printed)
}

async fn passes(arguments: &[&str]) {
    // What is printed has the seed.
    let (passed, printed) = chaos(arguments).await;
    assert!(passed, "{printed}");
    assert!(printed.contains("audit       passed"), "{printed}");
}

#[tokio::test]
async fn while_everything_fails_no_import_is_lost_and_none_comes_twice() {
    passes(&["--imports", "20", "--seed", "4"]).await;
}

#[tokio::test]
async fn with_any_seed_no_import_is_lost_and_none_comes_twice() {
    passes(&["--imports", "10"]).await;
}

#[tokio::test]
async fn with_sqlite_no_import_is_lost_and_none_comes_twice() {
    passes(&["--imports", "10", "--backend", "sqlite", "--seed", "3"]).await;
}

#[tokio::test]
async fn in_lanes_no_import_is_lost_and_none_comes_twice() {
    passes(&["--imports", "16", "--maximum-imports", "4", "--seed", "6"]).await;
}

#[tokio::test]
async fn without_the_check_of_the_attempt_the_audit_finds_rows_twice() {
    let arguments =
        ["--planted-bug", "--imports", "20", "--kinds", "two-messages", "--faults", "overtake-worker"];
    let printed = fails(&arguments).await;
    assert!(printed.contains("rows are in the table, its status is Some(Success)"), "{printed}");
}

/// The finding about a value that was changed behind everybody's back, and no other one.
async fn finds_the_change(backend: &str) {
    let kinds = ["--kinds", "good", "--faults", "redrive-execution"];
    let arguments = [&["--planted-change", "--imports", "4", "--backend", backend][..], &kinds].concat();
    let printed = fails(&arguments).await;
    let (_, findings) = printed.split_once("audit       FAILED\n").unwrap();
    let findings: Vec<_> = findings.lines().filter(|line| line.starts_with("  ")).collect();
    let planted = printed.lines().find_map(|line| line.strip_prefix("planted     ")).unwrap();
    // chaos.day of chaos-2, line 17, is another value
    let (what, line) = planted.split_once(", line ").unwrap();
    let (column, id) = what.split_once(" of ").unwrap();
    let (column, line) = (column.split_once('.').unwrap().1, line.split_once(',').unwrap().0);
    let [finding] = findings[..] else { panic!("{printed}") };
    assert!(finding.starts_with(&format!("  {id} (")), "{printed}");
    assert!(finding.contains(&format!("line {line}: {column} is ")), "{printed}");
}

#[tokio::test]
async fn one_changed_value_in_postgresql_makes_the_audit_fail() {
    finds_the_change("postgres").await;
}

#[tokio::test]
async fn one_changed_value_in_sqlite_makes_the_audit_fail() {
    finds_the_change("sqlite").await;
}

/// What a run printed whose audit fails.
async fn fails(arguments: &[&str]) -> String {
    let (passed, printed) = chaos(arguments).await;
    assert!(!passed, "{printed}");
    let folder =
        printed.lines().find_map(|line| line.strip_prefix("folder ")?.trim().strip_suffix(" is kept"));
    let Some(folder) = folder else { panic!("a failed run keeps its folder") };
    std::fs::remove_dir_all(folder).unwrap();
    printed
}
