//! The list of imports: what it finds, and how it stays.

use std::time::Duration;

use e2e::{binaries, wait};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::Child;
use tokio::time::timeout;

use crate::command_line::Up;
use crate::console::Console;
use crate::desk::{Desk, at_terminal};

/// How long a line may take to come.
const PATIENCE: Duration = Duration::from_secs(60);

#[tokio::test]
async fn imports_are_found_by_status_table_file_error_and_time() {
    let desk = Desk::new();
    desk.run("good", "id,name\n1,a\n", &["--create-table"]).await.expect(0, &[]);
    desk.run("bad", "id,name\nx,a\n", &[]).await.expect(1, &[]);
    let found = async |arguments: &[&str]| -> Vec<String> {
        let listed = desk.baton(&[&["imports", "--json"], arguments].concat()).await.expect(0, &[]).json();
        listed.as_array().unwrap().iter().map(|import| import["id"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(found(&[]).await, ["bad", "good"]);
    assert_eq!(found(&["-n", "1"]).await, ["bad"]);
    assert_eq!(found(&["--status", "success"]).await, ["good"]);
    assert_eq!(found(&["--status", "FAILURE", "--table", "people", "--since", "1h"]).await, ["bad"]);
    assert_eq!(found(&["--error", "import.toomanyrejects"]).await, ["bad"]);
    assert_eq!(found(&["--file", "GOOD.csv"]).await, ["good"]);
    assert_eq!(found(&["--until", "1h"]).await, [""; 0]);
    let nothing = desk.baton(&["imports", "--table", "orders"]).await;
    assert_eq!((nothing.code, nothing.stdout.as_str()), (Some(0), ""));
    nothing.complains(0, &["no such import"]);
    desk.baton(&["imports", "--status", "succes"]).await.complains(2, &["'success'"]);
    let table = desk.baton(&["imports"]).await;
    table.expect(0, &["ID    STATUS   TABLE", "PROGRESS  ERROR", "Import.TooManyRejects"]);
}

#[tokio::test]
async fn an_import_whose_worker_has_not_been_heard_for_a_while_has_no_speed_and_says_since_when() {
    let desk = Desk::new();
    desk.run("dead", "id,name\n1,a\n", &["--create-table"]).await.expect(0, &[]);
    // As a stack that was killed leaves it: the last beat is an old one.
    std::fs::remove_file(desk.path().join(".baton/baton.db-progress")).unwrap();
    desk.execute(
        "UPDATE \"baton_jobs\" SET status = 'RUNNING', finished_at = NULL, lease_expires_at = '2026-01-01 00:05:04', \
         started_at = '2026-01-01 00:00:00', updated_at = '2026-01-01 00:00:04'",
    );
    let words = "100 %, unchanged since 2026-01-01 00:00:04 UTC";
    for verb in [&["imports"][..], &["show", "dead"]] {
        let told = desk.baton(verb).await;
        told.expect(0, &["RUNNING", words]);
        assert!(!told.stdout.contains("rows/s"), "{told:#?}");
    }
    let listed = desk.baton(&["imports", "--json"]).await.expect(0, &[]).json();
    assert_eq!(listed[0]["progress"], json!({"percent": 100, "rows_per_second": null}));
    assert_eq!(listed[0]["updated_at"], "2026-01-01T00:00:04Z");
    let console = Console::at(&desk, None).await;
    for path in ["/", "/imports", "/imports/dead"] {
        let page = console.page(path).await;
        assert!(page.contains("unchanged since 2026-01-01 00:00:04 UTC"), "{path}: {page}");
        assert!(!page.contains("rows/s"), "{path}: {page}");
    }
}

fn interrupt(child: &Child) {
    let pid = Pid::from_raw(i32::try_from(child.id().unwrap()).unwrap()).unwrap();
    kill_process(pid, Signal::INT).unwrap();
}

#[tokio::test]
async fn a_list_that_stays_tells_each_change_in_a_line_and_ends_well_with_ctrl_c() {
    let desk = Desk::new();
    let up = Up::start(&desk).await;
    for (id, format) in [("in-lines", &[][..]), ("in-json", &["--json"])] {
        let mut watching = desk.command(&[&["imports", "--watch"], format].concat()).spawn().unwrap();
        let mut lines = BufReader::new(watching.stdout.take().unwrap()).lines();
        let file = desk.file("a.csv", format!("id,name\n{},a\n", id.len())).display().to_string();
        let sent = desk.baton(&["submit", &file, "-t", "people", "--create-table", "--id", id]).await;
        sent.expect(0, &[]);
        let is_end = |line: &str| {
            if format.is_empty() {
                return line.starts_with("in-lines  SUCCESS  people  rows 1  rejects 0  attempt 1");
            }
            let import: Value = serde_json::from_str(line).unwrap();
            import["id"] == id && import["status"] == "SUCCESS" && import["rows"] == 1
        };
        while !is_end(&timeout(PATIENCE, lines.next_line()).await.unwrap().unwrap().unwrap()) {}
        interrupt(&watching);
        assert_eq!(watching.wait().await.unwrap().code(), Some(0));
    }
    assert_eq!(up.stop().await, Some(0));
}

/// `script` gives the program a terminal, on which Ctrl-C is typed.
#[tokio::test]
async fn on_a_terminal_the_list_is_drawn_in_its_place() {
    let desk = Desk::new();
    desk.run("first", "id,name\n1,a\n", &["--create-table"]).await.expect(0, &[]);
    let command = format!("{} imports --watch", binaries::path("baton").display());
    let mut terminal = at_terminal(&command).current_dir(desk.path()).spawn().unwrap();
    let (mut keys, mut screen) = (terminal.stdin.take().unwrap(), terminal.stdout.take().unwrap());
    let mut seen = Vec::new();
    let mut shows = async |words: &str| {
        while !String::from_utf8_lossy(&seen).contains(words) {
            let read = timeout(PATIENCE, screen.read_buf(&mut seen)).await.unwrap().unwrap();
            assert!(read > 0, "{words:?} is missing in {:?}", String::from_utf8_lossy(&seen));
        }
    };
    shows("first").await;
    // No stack is held up by it: another one starts on the folder.
    let up = Up::start(&desk).await;
    let file = desk.file("b.csv", "id,name\n2,b\n").display().to_string();
    desk.baton(&["submit", &file, "-t", "people", "--id", "second", "--follow"]).await.expect(0, &[]);
    shows("second").await;
    // The cursor went up to draw the lines anew.
    shows("\x1b[1A").await;
    keys.write_all(b"\x03").await.unwrap();
    keys.flush().await.unwrap();
    let left = async || terminal.try_wait().unwrap();
    let ended = wait::until("the list to end", left, |ended| ended.is_some()).await;
    assert_eq!(ended.unwrap().code(), Some(0));
    assert_eq!(up.stop().await, Some(0));
}
