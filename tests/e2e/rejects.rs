//! Rejected rows on their way back to the person who sent them: as a table, as the file that they are kept in, and,
//! corrected, into the table after all.

use e2e::rows;
use serde_json::Value;

use crate::desk::Desk;

const FILE: &str = "id,氏名,年齢\r\n1,山田 太郎,20\r\n2,\"表, ソ\",二十\r\n3,髙橋,30\r\n";
const TABLE: &str = "CREATE TABLE people (id integer PRIMARY KEY, \"氏名\" text, \"年齢\" integer)";

fn as_utf8(text: &str) -> Vec<u8> {
    text.as_bytes().to_vec()
}

fn as_cp932(text: &str) -> Vec<u8> {
    let (bytes, _, unmappable) = encoding_rs::SHIFT_JIS.encode(text);
    assert!(!unmappable, "{text}");
    bytes.into_owned()
}

async fn saved(desk: &Desk, id: &str) -> Vec<u8> {
    let saved = desk.command(&["rejects", id, "--csv"]).output().await.unwrap();
    assert!(saved.status.success(), "{saved:?}");
    saved.stdout
}

async fn comes_back_corrected(encode: fn(&str) -> Vec<u8>) {
    for desk in Desk::both(TABLE) {
        let ended = desk.run("first", encode(FILE), &["--max-rejects", "1"]).await;
        ended.expect(
            0,
            &["rows      2\n", "1 of 3 rows: 1 not_an_integer", "   3  年齢    \"二十\"", "rejects first"],
        );
        desk.baton(&["rejects", "first"]).await.expect(0, &["   3  年齢    \"二十\"  is no integer"]);
        assert_eq!(desk.people(), 2);

        let bad = saved(&desk, "first").await;
        let expected = "baton_line,baton_reason,id,氏名,年齢\r\n3,\"年齢: is no integer (not_an_integer)\",2,\"表, ソ\",二十\r\n";
        assert_eq!(bad, encode(expected));
        let corrected = encode(&expected.replace("二十", "22"));
        desk.run("second", corrected, &[]).await.expect(0, &["rows      1\n", "rejects   0\n"]);
        let names = rows::texts(&desk.rows(), "SELECT \"氏名\" AS value FROM people ORDER BY id");
        assert_eq!(names, ["山田 太郎", "表, ソ", "髙橋"]);
    }
}

#[tokio::test]
async fn a_rejected_row_is_listed_saved_corrected_and_imported_as_it_is() {
    comes_back_corrected(as_utf8).await;
}

#[tokio::test]
async fn a_rejected_row_of_a_cp932_file_comes_back_in_cp932() {
    comes_back_corrected(as_cp932).await;
}

/// The sentence that says how the rejects file is imported, as words of a command line.
fn advised(report: &str) -> Vec<&str> {
    let line = report.lines().find_map(|line| line.split_once("corrected, FILE can be imported ")).unwrap().1;
    line.strip_prefix("again with: ").map_or_else(Vec::new, |words| words.split(' ').collect())
}

/// A few rows look like another encoding than the whole file.
#[tokio::test]
async fn a_corrected_row_that_looks_like_another_encoding_is_stored_as_the_file_has_it() {
    let files: [(&'static encoding_rs::Encoding, &str, &str); 6] = [
        (encoding_rs::WINDOWS_1252, "Straße Müller Crème brûlée", "±"),
        (encoding_rs::WINDOWS_1252, "Crème brûlée Café", "½ cup"),
        (encoding_rs::EUC_JP, "大阪府大阪市 日本", "表"),
        (encoding_rs::SHIFT_JIS, "日本 東京都千代田区", "ﾃﾂ"),
        (encoding_rs::WINDOWS_1251, "Иван Петров Москва улица", "Москва"),
        (encoding_rs::GB18030, "北京市朝阳区公司有限 上海市", "张三"),
    ];
    let desk = Desk::new();
    desk.execute("CREATE TABLE people (id integer PRIMARY KEY, name text)");
    for (number, (encoding, text, value)) in files.into_iter().enumerate() {
        let (bad, good, corrected) = (format!("bad-{number}"), 2 * number, 2 * number + 1);
        let encoded = |text: &str| encoding.encode(text).0.into_owned();
        let file = encoded(&format!("id,name\n{good},{text}\nx,{value}\u{1a}"));
        let ended = desk.run(&bad, file, &["--max-rejects", "1"]).await;
        ended.expect(0, &["rows      1\n", "rejects   1 of 2 rows: 1 not_an_integer"]);
        let rejects = saved(&desk, &bad).await;
        let (text, ..) = encoding.decode(&rejects);
        let text = text.replace(",x,", &format!(",{corrected},"));
        let again = desk.run(&format!("{bad}-corrected"), encoded(&text), &advised(&ended.stdout)).await;
        again.expect(0, &["rows      1\n", "rejects   0\n"]);
        let stored = format!("SELECT name AS value FROM people WHERE id = {corrected}");
        assert_eq!(rows::texts(&desk.rows(), &stored), [value], "{}", ended.stdout);
    }
}

#[tokio::test]
async fn the_report_of_a_cp932_file_says_how_it_was_read() {
    let [desk, _] = Desk::both(TABLE);
    let ended = desk.run("first", as_cp932(FILE), &["--max-rejects", "1"]).await;
    ended.expect(0, &["file      cp932 ("]);
    let shown = desk.baton(&["show", "first"]).await;
    shown.expect(0, &["file      cp932 (", "rejects   1 of 3 rows", "baton rejects first", "sha256"]);
}

#[tokio::test]
async fn more_rejects_than_the_report_holds_are_all_listed() {
    let bad: String = (0..300).map(|id| format!("{id},x\n")).collect();
    for desk in Desk::both("CREATE TABLE people (id integer, age integer)") {
        let ended = desk.run("many", format!("id,age\n{bad}"), &["--max-rejects", "300"]).await;
        ended.expect(0, &["300 of 300 rows", "… and 290 more"]);
        let listed = desk.baton(&["rejects", "many"]).await;
        listed.expect(0, &["LINE  REASON\n", "     2  age: is no integer", "   301  age: is no integer"]);
        assert_eq!(listed.stdout.lines().count(), 301, "{}", listed.stderr);
        let json = desk.baton(&["rejects", "many", "--json"]).await;
        let json: Value = serde_json::from_str(&json.stdout).unwrap();
        assert_eq!((&json["rejects"], &json["reasons"]["not_an_integer"]), (&300.into(), &300.into()));
        let rows = json["rows"].as_array().unwrap();
        assert_eq!((rows.len(), &rows[0]["column"], &rows[299]["line"]), (300, &"age".into(), &301.into()));
        assert_eq!(saved(&desk, "many").await.iter().filter(|byte| **byte == b'\n').count(), 301);
    }
}

#[tokio::test]
async fn an_import_without_rejects_or_whose_file_is_gone_says_so() {
    let [desk, _] = Desk::both("CREATE TABLE people (id integer, age integer)");
    desk.run("clean", "id,age\n1,1\n", &[]).await.expect(0, &[]);
    for arguments in [&["rejects", "clean"][..], &["rejects", "clean", "--csv"]] {
        let ended = desk.baton(arguments).await;
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(0), ""), "{ended:#?}");
        assert!(ended.stderr.contains("clean has no rejects"), "{ended:#?}");
    }
    desk.run("other", "id,agee\n1,1\n", &[]).await.expect(1, &["Import.HeaderMismatch", "--map NAME=COLUMN"]);
    let ended = desk.baton(&["rejects", "other"]).await;
    assert!(ended.stderr.contains("failed with Import.HeaderMismatch"), "{ended:#?}");

    desk.run("bad", "id,age\n1,x\n", &["--max-rejects", "1"]).await.expect(0, &[]);
    assert!(remove(desk.path(), "bad.csv.bad.1.rejects"), "the rejects file lies in the folder of the stack");
    let ended = desk.baton(&["rejects", "bad", "--csv"]).await;
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(1), ""), "{ended:#?}");
    assert!(ended.stderr.contains("is not there any more"), "{ended:#?}");
    desk.baton(&["rejects", "bad"]).await.expect(0, &["   2  age     \"x\""]);
}

/// Removes the file of this name, wherever it lies below `dir`.
fn remove(dir: &std::path::Path, name: &str) -> bool {
    std::fs::read_dir(dir).unwrap().flatten().any(|entry| {
        let path = entry.path();
        if path.is_dir() {
            remove(&path, name)
        } else {
            path.ends_with(name) && std::fs::remove_file(&path).is_ok()
        }
    })
}
