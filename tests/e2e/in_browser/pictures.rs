//! The pictures of the README: made anew with `UPDATE_PICTURES=1`, else only looked at.

use std::fmt::Write as _;

use std::path::{Path, PathBuf};
use std::time::Duration;

use e2e::{Backend, TestStack, rows, wait};
use local_stack::Limits;
use serde_json::{Value, json};

use super::Console;
use crate::browser::{Browser, WIDTH};

/// The pictures with their heights, in pixels.
const PICTURES: [(&str, u32); 4] =
    [("overview.png", 900), ("import.png", 1600), ("check.png", 680), ("dead-letters.png", 560)];
/// The most bytes that a picture may have.
const MOST_BYTES: usize = 200 * 1024;

const FAMILY: [&str; 8] = ["山田", "佐藤", "鈴木", "高橋", "田中", "伊藤", "渡辺", "中村"];
const GIVEN: [&str; 6] = ["太郎", "花子", "一郎", "美咲", "健太", "陽子"];
const PREFECTURES: [&str; 5] = ["東京都", "大阪府", "北海道", "愛知県", "福岡県"];

/// A file of so many customers, some of whose rows are bad.
fn customers(rows: usize, is_bad: impl Fn(usize) -> Option<&'static str>) -> String {
    let mut csv = String::from("顧客番号,氏名,都道府県,登録日,残高\n");
    for row in 0..rows {
        let name = format!("{} {}", FAMILY[row % FAMILY.len()], GIVEN[row % GIVEN.len()]);
        let (prefecture, day) = (PREFECTURES[row % PREFECTURES.len()], row % 28 + 1);
        let line = format!("{},{name},{prefecture},2026-10-{day:02},{}.50", 10_000 + row, row * 7 % 5000);
        let line = is_bad(row).map_or(line.clone(), |bad| line.replace(".50", bad));
        let _ = writeln!(csv, "{line}");
    }
    csv
}

const TABLES: [(&str, &str); 3] = [
    (
        "顧客",
        "顧客番号 bigint PRIMARY KEY, 氏名 varchar(20) NOT NULL, 都道府県 varchar(10), 登録日 date, 残高 numeric(10,2)",
    ),
    ("注文", "顧客番号 bigint, 氏名 text, 都道府県 text, 登録日 date, 残高 numeric(10,2)"),
    ("在庫", "顧客番号 bigint, 氏名 text, 都道府県 text, 登録日 date, 残高 numeric(10,2)"),
];

/// A stack as it is on a usual day: some imports done, one that runs, some that failed.
async fn usual_day() -> TestStack {
    let limits = Limits { heartbeat_interval: Duration::from_millis(200), ..Limits::default() };
    let stack = TestStack::start_with(Backend::Sqlite, limits).await;
    for (table, columns) in TABLES {
        rows::execute(&stack.database, &format!("CREATE TABLE {table} ({columns})"));
    }
    let good = |rows: usize| Some(customers(rows, |_| None));
    let few_bad = customers(1200, |row| (row % 97 == 5).then_some(".5O"));
    for (id, file, table, body, options) in [
        ("orders-1123-evening", "注文_夕方.csv", "注文", good(1840), json!({})),
        ("stock-1123", "在庫一覧.csv", "在庫", good(960), json!({})),
        ("orders-1124-morning", "注文_朝.csv", "注文", Some(few_bad), json!({"max_rejects": "2%"})),
        ("stock-1124", "在庫一覧.csv", "在庫", None, json!({})),
        ("customers-1124", "顧客マスタ.csv", "顧客", Some(bad_customers()), json!({})),
        ("returns-1124", "返品.csv", "返品", good(40), json!({})),
    ] {
        let sent = submit(&stack, id, file, table, body, options).await;
        stack.ended(&sent).await;
    }
    let letters = async || stack.messages(&stack.resources.dead_letter_queue_url).await;
    wait::until("the dead letters", letters, |count| *count == 3).await;
    stack
}

/// Rows with the mistakes that people make.
fn bad_customers() -> String {
    customers(640, |row| match row {
        17 => Some(",余分"),
        203 => Some(" 円"),
        377 => Some(".5.0"),
        _ => None,
    })
}

/// Sends an import; the ARN of its execution.
async fn submit(
    stack: &TestStack,
    id: &str,
    file: &str,
    table: &str,
    body: Option<String>,
    options: Value,
) -> String {
    let key = format!("uploads/{id}/{file}");
    let source = match body {
        Some(body) => stack.put(&key, body).await,
        None => format!("s3://baton/{key}").parse().unwrap(),
    };
    stack.describe(id, &source, table, options).await.execution_arn
}

/// An import that is met in the middle: a table that takes its time, and a file of more than the worker reads ahead.
async fn one_that_runs(stack: &TestStack) {
    rows::execute(&stack.database, "CREATE TABLE 手紙 (番号 bigint PRIMARY KEY, 本文 text)");
    let trigger =
        "CREATE TRIGGER slow BEFORE INSERT ON 手紙 BEGIN SELECT length(hex(randomblob(60000))); END";
    rows::execute(&stack.database, trigger);
    let letter = "拝啓 時下ますますご清栄のこととお喜び申し上げます。".repeat(24);
    let csv: String = (0..24_000).map(|number| format!("{number},{letter}\n")).collect();
    submit(stack, "letters-1124", "手紙.csv", "手紙", Some(format!("番号,本文\n{csv}")), json!({})).await;
    let id = "letters-1124".parse().unwrap();
    stack.import_when(&id, "the import to be in the middle", |row| row.rows_done >= 5000).await;
}

async fn make() {
    let stack = Box::pin(usual_day()).await;
    let folder = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink(stack.data_dir(), folder.path().join(".baton")).unwrap();
    let (console, browser) = (Console::within(folder.path()).await, Browser::open().await);
    browser.go(&console.address("/imports/customers-1124")).await;
    browser.sees("Rejects").await;
    take(&browser, 1).await;

    browser.go(&console.address("/upload")).await;
    browser.chooses_file("#file", &super::file(&stack, "顧客マスタ.csv", bad_customers())).await;
    browser.fills("#table", "顧客").await;
    browser.clicks("Check first").await;
    browser.sees("3 rows would be rejected.").await;
    take(&browser, 2).await;

    one_that_runs(&stack).await;
    browser.go(&console.url).await;
    browser.sees("rows/s").await;
    take(&browser, 0).await;

    browser.likes("dark").await;
    browser.go(&console.address("/dead-letters")).await;
    browser.sees("Import.SourceMissing").await;
    take(&browser, 3).await;
    // In the middle of an import that nobody waits for.
    stack.audit().await;
}

async fn take(browser: &Browser, picture: usize) {
    browser.finds_no_fault().await;
    let (name, height) = PICTURES[picture];
    std::fs::create_dir_all(path("")).unwrap();
    std::fs::write(path(name), browser.picture(height).await).unwrap();
}

fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/pictures").join(name)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_pictures_of_the_readme_are_there_and_can_be_made_anew() {
    #[expect(clippy::disallowed_methods, reason = "the one variable that changes what a test does")]
    if std::env::var_os("UPDATE_PICTURES").is_some() {
        Box::pin(make()).await;
    }
    let readme = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../README.md")).unwrap();
    for (name, height) in PICTURES {
        let picture = std::fs::read(path(name))
            .unwrap_or_else(|error| panic!("{name}: {error}; UPDATE_PICTURES=1 makes it"));
        assert!(picture.len() <= MOST_BYTES, "{name} has {} bytes", picture.len());
        // Where a PNG says how wide and how high it is.
        let size = |at: usize| u32::from_be_bytes(picture[at..at + 4].try_into().unwrap());
        assert_eq!((size(16), size(20)), (WIDTH, height), "{name}");
        assert!(readme.contains(&format!("examples/pictures/{name}")), "{name} is not in the README");
    }
}
