//! The same command again, under the same id.

use e2e::{rows, wait};

use crate::command_line::Up;
use crate::desk::{Desk, Ended};
use crate::shared_stack::{GATE, WAITING};

const TABLE: &str = "CREATE TABLE people (id int PRIMARY KEY, name text)";

/// The object of an import as it lies in the folder of the stack.
fn object(desk: &Desk, key: &str) -> String {
    std::fs::read_to_string(desk.path().join(".baton/stack/s3/baton").join(key)).unwrap()
}

/// How often imports were claimed.
fn attempts(desk: &Desk) -> i64 {
    rows::number(&desk.rows(), "SELECT count(*) AS value FROM \"baton_attempts\"")
}

#[tokio::test]
async fn the_same_command_again_does_nothing_and_says_when_it_was_imported() {
    for desk in Desk::both(TABLE) {
        let file = desk.file("day1.csv", "id,name\n1,a\n2,b\n").display().to_string();
        let run = ["run", &file, "--table", "people", "--id", "nightly"];
        desk.baton(&run).await.expect(0, &["imported day1.csv in "]);
        let again = desk.baton(&run).await;
        again.expect(
            0,
            &["day1.csv was imported before, as nightly on ", "; nothing was done now\n", "rows      2"],
        );
        let told = desk.baton(&[&run[..], &["--json"]].concat()).await.json();
        assert_eq!(told["import"]["status"], "SUCCESS");
        assert_eq!(told["done_before"], told["import"]["finished_at"], "{told}");
        assert_eq!((desk.people(), attempts(&desk)), (2, 1));

        let up = Up::start(&desk).await;
        let submit = ["submit", &file, "--table", "people", "--id", "nightly"];
        let submitted = desk.baton(&submit).await;
        submitted.expect(0, &["nightly\n"]).complains(0, &["it was done before on ", "nothing was sent now"]);
        let told = desk.baton(&[&submit[..], &["--json"]].concat()).await.json();
        assert_eq!((&told["sent"], told["done_before"].is_string()), (&false.into(), true), "{told}");
        desk.baton(&[&submit[..], &["--follow"]].concat())
            .await
            .expect(0, &["day1.csv was imported before, as nightly on "]);
        assert_eq!(up.stop().await, Some(0));
        assert_eq!(attempts(&desk), 1);
    }
}

#[tokio::test]
async fn another_file_under_an_id_that_is_registered_is_refused_and_overwrites_nothing() {
    let desk = Desk::new();
    desk.execute(TABLE);
    // As long as the first, so that its size does not tell it.
    let (first, second) = ("id,name\n1,a\n2,b\n", "id,name\n3,c\n4,d\n");
    let words =
        ["error: Import.Contradiction: import ", " is registered with other content than ", "another --id"];
    for (id, options, rows) in [
        ("whole", &[][..], 2),
        ("beginning", &["--limit", "1", "--on-conflict", "skip"], 2),
        ("dry", &["--dry-run", "--max-rejects", "9"], 2),
    ] {
        let file = desk.file(&format!("{id}.csv"), first).display().to_string();
        let run = [&["run", &file, "--table", "people", "--id", id], options].concat();
        desk.baton(&run).await.expect(0, &[]);
        desk.file(&format!("{id}.csv"), second);
        desk.baton(&run).await.complains(1, &words);
        assert_eq!(
            (object(&desk, &format!("uploads/{id}/{id}.csv")), desk.people()),
            (first.to_owned(), rows)
        );
    }
    // Nothing is made for what is refused, either.
    let file = desk.file("whole.csv", second).display().to_string();
    desk.baton(&["run", &file, "--table", "others", "--create-table", "--id", "whole"])
        .await
        .complains(1, &["import whole is registered with another table; nothing was done: import this file under another --id"]);
    let others = "SELECT count(*) AS value FROM sqlite_schema WHERE name = 'others'";
    assert_eq!(rows::number(&desk.rows(), others), 0);

    // An import that another database knows has its object in the same place.
    let elsewhere = format!("sqlite:{}", desk.path().join("elsewhere.db").display());
    let run = ["run", &file, "--table", "people", "--id", "whole", "--database-url", &elsewhere];
    desk.baton(&[&run[..], &["--create-table"]].concat()).await.complains(
        1,
        &["another file is at s3://baton/uploads/whole/whole.csv already, and is not overwritten"],
    );
    assert_eq!(object(&desk, "uploads/whole/whole.csv"), first);
    // What is the same need not be brought again.
    desk.file("whole.csv", first);
    desk.baton(&[&run[..], &["--create-table"]].concat()).await.expect(0, &["rows      2"]);
}

#[tokio::test]
async fn an_id_that_is_registered_otherwise_is_answered_with_what_can_be_typed() {
    let desk = Desk::new();
    desk.execute(TABLE);
    desk.run("bad", "id,name\nx,a\n", &[]).await.expect(1, &["Import.TooManyRejects"]);
    let up = Up::start(&desk).await;
    let file = desk.path().join("bad.csv").display().to_string();
    let other = desk.file("other.csv", "id,name\n1,a\n").display().to_string();
    for (verb, file, table, options, what) in [
        ("submit", &file, "people", &["--max-rejects", "1"][..], "other options"),
        ("run", &file, "others", &[], "another table"),
        ("run", &other, "people", &[], "another source"),
    ] {
        let arguments = [&[verb, file, "--table", table, "--id", "bad"], options].concat();
        let refused = desk.baton(&arguments).await;
        let words = format!(
            "import bad is registered with {what}; nothing was done: import this file under another --id, or"
        );
        refused.complains(1, &[&words, " redrive bad` runs the import again as it is registered"]);
        assert!(!refused.stderr.contains("alone"), "no command sends an id alone: {refused:#?}");
    }
    assert_eq!(up.stop().await, Some(0));
}

#[tokio::test]
async fn a_file_that_cannot_be_compared_any_more_is_refused() {
    let desk = Desk::new();
    desk.execute(TABLE);
    let ended = desk.run("lost", "id,name\nx,a\n", &[]).await;
    ended.expect(1, &["Import.TooManyRejects"]);
    let key = desk.path().join(".baton/stack/s3/baton/uploads/lost/lost.csv");
    std::fs::remove_file(key).unwrap();
    let ended = desk.run("lost", "id,name\nx,a\n", &[]).await;
    ended.complains(
        1,
        &["its file is not at s3://baton/uploads/lost/lost.csv on this target, so that it cannot be known"],
    );
}

#[tokio::test]
async fn the_command_of_a_failed_import_tries_it_again_with_the_same_file_alone() {
    let desk = Desk::new();
    desk.execute("CREATE TABLE people (id int PRIMARY KEY, name text CHECK (name <> 'a'))");
    let content = "id,name\n1,a\n";
    desk.run("a", content, &[]).await.expect(1, &["Import.TooManyRejects"]);
    desk.run("a", "id,name\n1,b\n", &[]).await.complains(
        1,
        &["is registered with other content than ", "` runs the import again with the file that was"],
    );
    assert_eq!(object(&desk, "uploads/a/a.csv"), content);
    desk.execute("DROP TABLE people");
    desk.execute(TABLE);
    let again = desk.run("a", content, &[]).await;
    again.expect(0, &["imported a.csv in ", "attempts  2"]);
    again.complains(0, &["the import a failed before with Import.TooManyRejects; its file is in S3 already"]);
    assert_eq!(desk.people(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_command_again_follows_the_import_that_is_under_way() {
    let desk = Desk::postgres(TABLE);
    GATE.iter().for_each(|statement| desk.execute(statement));
    let up = Up::start(&desk).await;
    let file = desk.file("a.csv", "id,name\n1,a\n2,b\n").display().to_string();
    let submit = ["submit", &file, "--table", "people", "--id", "a"];
    desk.baton(&submit).await.expect(0, &["a\n"]);
    let waiting = async || rows::number(&desk.rows(), WAITING);
    wait::until("the worker to wait at the gate", waiting, |workers| *workers == 1).await;
    let again = desk.baton(&submit).await;
    again.expect(0, &["a\n"]).complains(0, &["the import a is under way already", "nothing was sent"]);
    let told = desk.baton(&[&submit[..], &["--json"]].concat()).await.json();
    assert_eq!(told["sent"], false, "{told}");
    desk.file("a.csv", "id,name\n1,a\n3,b\n");
    desk.baton(&submit).await.complains(1, &["is registered with other content than "]);
    desk.file("a.csv", "id,name\n1,a\n2,b\n");

    let run = desk.command(&["run", &file, "--table", "people", "--id", "a"]).spawn().unwrap();
    desk.execute("INSERT INTO gate VALUES (1)");
    Ended::of(run.wait_with_output().await.unwrap()).expect(0, &["a.csv", "rows      2"]);
    assert_eq!(up.stop().await, Some(0));
    assert_eq!((desk.people(), attempts(&desk)), (2, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_command_several_times_at_once_makes_one_table_and_one_import() {
    for desk in [Desk::new(), Desk::postgres("SELECT 1")] {
        let up = Up::start(&desk).await;
        // So large that one is refused while it uploads.
        let content = format!("id,name\n1,a\n2,b\n{}", format!("3,{}\n", "c".repeat(996)).repeat(30_000));
        let file = desk.file("a.csv", &content).display().to_string();
        let submit =
            ["submit", &file, "--table", "people", "--create-table", "--limit", "2", "--id", "a", "--follow"];
        let children: Vec<_> = (0..3).map(|_| desk.command(&submit).spawn().unwrap()).collect();
        for child in children {
            Ended::of(child.wait_with_output().await.unwrap()).expect(0, &["rows      2"]);
        }
        assert_eq!(up.stop().await, Some(0));
        assert_eq!((desk.people(), attempts(&desk)), (2, 1));
        assert!(object(&desk, "uploads/a/a.csv") == content);
    }
}
