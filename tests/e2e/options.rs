//! The options of an import on the command line, from `baton run` to the table, on both databases.

use e2e::rows;

use crate::desk::Desk;

const PEOPLE: &str = "CREATE TABLE people (id integer PRIMARY KEY, name varchar(10) NOT NULL)";

#[tokio::test]
async fn a_dry_run_reports_all_and_leaves_the_table_empty() {
    for desk in Desk::both(PEOPLE) {
        let options = ["--dry-run", "--max-rejects", "1"];
        let ended = desk.run("dry", "id,name\n1,a\n2,b\nx,c\n", &options).await;
        ended.expect(
            0,
            &[
                "checked dry.csv",
                "dry run: nothing was written",
                "rows      2 would be written",
                "1 of 3 rows",
            ],
        );
        ended.expect(0, &["   4  id      \"x\"    is no integer"]);
        assert!(!ended.stdout.contains("--csv"), "there is no rejects file: {}", ended.stdout);
        assert_eq!(desk.people(), 0);
        desk.run("wet", "id,name\n1,a\n2,b\n", &[]).await.expect(0, &["imported wet.csv", "rows      2\n"]);
        assert_eq!(desk.people(), 2);
    }
}

#[tokio::test]
async fn the_same_file_is_noticed_and_once_refuses_it() {
    for desk in Desk::both("CREATE TABLE people (id integer, name text)") {
        desk.run("first", "id,name\n1,a\n", &["--once"]).await.expect(0, &["imported first.csv"]);
        desk.run("again", "id,name\n1,a\n", &[])
            .await
            .expect(0, &["note      the same file was imported into people before, by first"]);
        let refused = desk.run("refused", "id,name\n1,a\n", &["--once"]).await;
        refused.expect(1, &["Import.AlreadyImported", "as again", "without --once"]);
        desk.run("other", "id,name\n2,b\n", &["--once"]).await.expect(0, &[]);
        assert_eq!(desk.people(), 3);
    }
}

#[tokio::test]
async fn rows_that_are_there_are_updated_or_skipped_by_their_key() {
    for desk in Desk::both(PEOPLE) {
        desk.run("old", "id,name\n1,a\n2,b\n", &[]).await.expect(0, &[]);
        let update = ["--on-conflict", "update", "--key", "id"];
        desk.run("new", "id,name\n2,B\n3,c\n3,C\n", &update).await.expect(
            0,
            &["rows      2: 1 new, 1 updated", "1 left out: the file has another row with the same key"],
        );
        let skip = ["--on-conflict", "skip"];
        desk.run("late", "id,name\n1,x\n4,d\n", &skip)
            .await
            .expect(0, &["rows      1\n", "1 skipped: the table has a row with the same key"]);
        let names = rows::texts(&desk.rows(), "SELECT name AS value FROM people ORDER BY id");
        assert_eq!(names, ["a", "B", "C", "d"]);
    }
}

#[tokio::test]
async fn a_part_of_the_rows_may_be_rejected() {
    let file = |bad: usize| {
        let row = |id: usize| format!("{id},{}\n", if id <= bad { "far too long a name" } else { "a" });
        format!("id,name\n{}", (1..=200).map(row).collect::<String>())
    };
    for desk in Desk::both(PEOPLE) {
        let too_many = desk.run("five", file(3), &["--max-rejects", "1%"]).await;
        too_many.expect(1, &["Import.TooManyRejects", "allows 1%", "3 of 200 rows: 3 too_long"]);
        assert_eq!(desk.people(), 0);
        desk.run("two", file(2), &["--max-rejects", "1%"]).await.expect(0, &["rows      198\n"]);
        assert_eq!(desk.people(), 198);
    }
}

#[tokio::test]
async fn names_are_mapped_and_files_without_a_header_follow_the_table() {
    for desk in Desk::both(PEOPLE) {
        let map = ["--map", "Full Name=name", "--ignore-unknown"];
        desk.run("mapped", "no,id,full name\n7,1,a\n", &map).await.expect(0, &["rows      1\n"]);
        desk.run("bare", "2,b\n3,c\n", &["--no-header", "--limit", "1"]).await.expect(0, &["rows      1\n"]);
        assert_eq!(desk.people(), 2);
    }
}

#[tokio::test]
async fn a_name_that_is_spaced_for_the_eye_is_the_columns_and_a_word_more_is_not() {
    for desk in Desk::both("CREATE TABLE people (id integer PRIMARY KEY, \"氏名\" text, zipcode text)") {
        desk.run("spaced", "id,氏\u{3000}名\n1,山田\n", &[])
            .await
            .expect(0, &["imported spaced.csv", "rows      1\n"]);
        assert_eq!(rows::texts(&desk.rows(), "SELECT \"氏名\" AS value FROM people"), ["山田"]);
        let unknown = "unknown: \"zip code\", column 2 of the file; in the table, is it \"zipcode\"?";
        desk.run("words", "id,zip code\n2,1\n", &[]).await.expect(1, &["Import.HeaderMismatch", unknown]);
    }
}
