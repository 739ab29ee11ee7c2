//! The rejected rows, next to the source: as they stood there, to be corrected and imported again.

use std::sync::{Arc, Mutex};

use statemachine::{FailureName, Findings, ImportOptions};

use worker::failure::Failure;

use super::objects::{answer, serve_bytes};
use super::world::{World, max_rejects, named};

const DDL: &str = "CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT, age INTEGER)";

#[test]
fn rejected_rows_are_written_as_they_stood_and_imported_again_once_they_are_mended() {
    for world in World::both(DDL) {
        let file = "id,name,age\r\n1,\"Smith, \"\"Joe\"\"\",x\r\n2,東京,30\r\n2,大阪,31\r\n3,\"two\r\nlines\",\r\n4,a,b,c\r\n";
        let (result, findings) = world.import_as("f", file.as_bytes(), "t", max_rejects(3));
        assert_eq!(result.unwrap().rows, 2);
        let rejects = findings.rejects_file.unwrap();
        assert_eq!(
            (rejects.source.to_string().as_str(), rejects.rows),
            ("s3://uploads/f.csv.f.1.rejects", 3)
        );
        let written = String::from_utf8(world.object("f.csv.f.1.rejects").unwrap()).unwrap();
        let lines: Vec<_> = written.split("\r\n").collect();
        assert_eq!(lines[0], "baton_line,baton_reason,id,name,age");
        assert_eq!(lines[1], "2,\"age: is no integer (not_an_integer)\",1,\"Smith, \"\"Joe\"\"\",x");
        assert!(lines[2].starts_with("4,\"") && lines[2].ends_with("(unique)\",2,大阪,31"), "{written}");
        assert_eq!(lines[3], "7,\"has 4 fields, the header has 3 (field_count)\",4,a,b,c");
        assert_eq!(&lines[4..], [""]);
        let mended =
            written.replace("\",x\r\n", "\",10\r\n").replace(",2,大阪", ",5,大阪").replace("a,b,c", "a,12");
        let (result, _) = world.import_as("g", mended.as_bytes(), "t", ImportOptions::default());
        assert_eq!(result.unwrap().rows, 3);
        let names = "SELECT name AS line FROM t WHERE id IN (1, 5) ORDER BY id";
        assert_eq!(world.lines(names), ["Smith, \"Joe\"", "大阪"]);
    }
}

#[test]
fn an_import_that_fails_for_its_rejects_files_them_too() {
    let world = World::sqlite(DDL);
    let (result, findings) = world.import_as("f", b"id,name,age\n1,a,x\n2,b,2\n3,c,y\n", "t", max_rejects(1));
    let (name, cause) = named(result);
    assert_eq!((name, world.count("t")), (FailureName::TooManyRejects, 0));
    assert!(
        cause.starts_with("2 rows were rejected, the import allows 1:\nline 2, column age: \"x\""),
        "{cause}"
    );
    assert_eq!(findings.rejects_file.unwrap().rows, 2);
    assert_eq!(findings.reasons["not_an_integer"], 2);
    let written = String::from_utf8(world.object("f.csv.f.1.rejects").unwrap()).unwrap();
    assert_eq!(written.lines().count(), 3);
}

#[test]
fn a_rejects_file_of_many_parts_arrives_whole() {
    let world = World::sqlite(DDL);
    let long = "y".repeat(100_000);
    let rows: String = (0..200).map(|id| format!("{id},{long},x\n")).collect();
    let (result, findings) =
        world.import_as("f", format!("id,name,age\n{rows}").as_bytes(), "t", max_rejects(200));
    assert_eq!((result.unwrap().rows, findings.rejects_file.unwrap().rows), (0, 200));
    let written = String::from_utf8(world.object("f.csv.f.1.rejects").unwrap()).unwrap();
    assert_eq!(written.lines().count(), 201);
    assert!(written.lines().skip(1).all(|line| line.len() > 100_000 && line.ends_with(",x")));
}

#[test]
fn a_clean_import_and_a_dry_run_write_no_rejects_file() {
    let world = World::sqlite(DDL);
    world.import_as("a", b"id,name,age\n1,a,1\n", "t", ImportOptions::default()).0.unwrap();
    let options = ImportOptions { dry_run: true, ..max_rejects(1) };
    let (_, findings) = world.import_as("b", b"id,name,age\n1,a,x\n", "t", options);
    assert_eq!((findings.rejects_file, findings.first_rejects.len()), (None, 1));
    assert_eq!((world.object("a.csv.a.1.rejects"), world.object("b.csv.b.1.rejects")), (None, None));
}

#[test]
fn a_replaced_attempt_that_wakes_leaves_the_rejects_of_the_other_alone() {
    for world in World::both(DDL) {
        world.put("f.csv", b"id,name,age\n1,a,x\n2,b,2\n");
        let asleep = world.job("f", "f.csv", "t", max_rejects(5));
        let successor = world.job("f", "f.csv", "t", max_rejects(5));
        assert_eq!((asleep.attempt, successor.attempt), (1, 2));
        world.run(&successor).unwrap();
        let kept = world.object("f.csv.f.2.rejects").unwrap();
        // What it would write is not the same: to it, the row that the other has imported is a reject.
        assert!(matches!(world.run(&asleep), Err(Failure::NotOurs(_))));
        assert_eq!(world.object("f.csv.f.2.rejects").unwrap(), kept);
        assert_eq!(String::from_utf8(kept).unwrap().lines().count(), 2);
        let file = successor.progress.findings().unwrap().rejects_file.clone().unwrap();
        assert_eq!(file.source.to_string(), "s3://uploads/f.csv.f.2.rejects");
    }
}

#[test]
fn every_one_of_many_rejects_is_kept_in_the_files_order() {
    const ROWS: usize = 200_000;
    for world in World::both(DDL) {
        // Every second row is refused by the reader, every fourth by the database, for the key of the row before.
        let row = |id: usize| match id % 4 {
            1 | 3 => format!("{id},name,x\n"),
            2 => format!("{},again,7\n", id - 2),
            _ => format!("{id},name,7\n"),
        };
        let rows: String = (0..ROWS).map(row).collect();
        let options = ImportOptions { max_rejects: "100%".parse().unwrap(), ..ImportOptions::default() };
        let (result, findings) =
            world.import_as("f", format!("id,name,age\n{rows}").as_bytes(), "t", options);
        let summary = result.unwrap();
        assert_eq!((summary.rows, summary.rejects), (ROWS as u64 / 4, 3 * ROWS as u64 / 4));
        assert_eq!(findings.rejects_file.unwrap().rows, summary.rejects);
        let written = String::from_utf8(world.object("f.csv.f.1.rejects").unwrap()).unwrap();
        let mut lines = written.lines().skip(1);
        for id in (0..ROWS).filter(|id| id % 4 != 0) {
            let line = lines.next().unwrap();
            assert!(line.starts_with(&format!("{},\"", id + 2)), "{line} is not that of {id}");
            assert_eq!(line.contains("(unique)"), id % 4 == 2, "{line}");
            assert_eq!(format!("{}\n", line.rsplit_once("\",").unwrap().1), row(id));
        }
        assert_eq!(lines.next(), None);
    }
}

#[test]
fn rejected_rows_of_iso_2022_jp_are_written_as_they_stood() {
    let world = World::sqlite("CREATE TABLE t (id INTEGER PRIMARY KEY, 氏名 TEXT, age INTEGER)");
    let text = "id,氏名,age\r\n1,山田太郎,30\r\n2,\"東京\r\n太郎\",x\r\n3,花子,\"十\"\r\n";
    let (file, ..) = encoding_rs::ISO_2022_JP.encode(text);
    let (result, findings) = world.import_as("f", &file, "t", max_rejects(2));
    assert_eq!((result.unwrap().rows, findings.encoding.as_deref()), (1, Some("iso-2022-jp (detected)")));
    assert_eq!(findings.first_rejects.iter().map(|reject| reject.line).collect::<Vec<_>>(), [3, 5]);
    let written = world.object("f.csv.f.1.rejects").unwrap();
    for row in ["2,\"東京\r\n太郎\",x\r\n", "3,花子,\"十\"\r\n"] {
        let (row, ..) = encoding_rs::ISO_2022_JP.encode(row);
        assert!(written.windows(row.len()).any(|window| window == &*row), "{written:X?}");
    }
    let mended =
        encoding_rs::ISO_2022_JP.decode(&written).0.replace("x\r\n", "20\r\n").replace("\"十\"", "10");
    let (mended, ..) = encoding_rs::ISO_2022_JP.encode(&mended);
    world.import_as("g", &mended, "t", ImportOptions::default()).0.unwrap();
    assert_eq!(world.lines("SELECT 氏名 AS line FROM t ORDER BY id"), ["山田太郎", "東京\r\n太郎", "花子"]);
}

#[test]
fn a_record_that_is_too_large_is_told_in_the_rejects_file_without_its_content() {
    let world = World::sqlite(DDL);
    let file = format!("id,name,age\n1,{},1\n2,b,x\n", "y".repeat(100_000));
    let options = ImportOptions { max_record_bytes: 50_000.try_into().unwrap(), ..max_rejects(2) };
    let (result, findings) = world.import_as("f", file.as_bytes(), "t", options);
    assert_eq!((result.unwrap().rejects, findings.rejects_file.unwrap().rows), (2, 2));
    let written = String::from_utf8(world.object("f.csv.f.1.rejects").unwrap()).unwrap();
    let lines: Vec<_> = written.lines().collect();
    assert!(
        lines[1].starts_with("2,\"has 100004 bytes") && lines[1].ends_with("(record_too_large)\""),
        "{}",
        lines[1]
    );
    assert_eq!(lines[2], "3,\"age: is no integer (not_an_integer)\",2,b,x");
}

#[test]
fn a_record_that_is_too_large_is_a_reject_again_when_its_rejects_file_is_imported() {
    for world in World::both("CREATE TABLE t (a text)") {
        for (id, header) in [("h", "a\n"), ("n", "")] {
            let file = format!("{header}one\n{}\n", "x".repeat(3000));
            let no_header = header.is_empty();
            let options =
                ImportOptions { max_record_bytes: 1024.try_into().unwrap(), no_header, ..max_rejects(2) };
            world.import_as(id, file.as_bytes(), "t", options.clone()).0.unwrap();
            let rejects = world.object(&format!("{id}.csv.{id}.1.rejects")).unwrap();
            let (result, findings) = world.import_as(&format!("{id}2"), &rejects, "t", options);
            let report = result.unwrap();
            assert_eq!((report.rows, report.rejects), (0, 1), "{findings:?}");
            assert!(findings.first_rejects[0].says.starts_with("has 2 fields"), "{findings:?}");
        }
        assert_eq!(world.lines("SELECT a AS line FROM t"), ["one", "one"]);
    }
}

#[test]
fn a_rejects_file_that_s3_does_not_take_at_once_is_sent_again() {
    let world = World::sqlite(DDL);
    let requests = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&requests);
    let s3 = serve_bytes(&world.runtime, move |_, head| {
        let method = head.split(' ').next().unwrap().to_owned();
        let mut seen = seen.lock().unwrap();
        seen.push(method.clone());
        match seen.iter().filter(|earlier| **earlier == method).count() {
            _ if method == "get" => answer("id,name,age\n1,a,x\n2,b,2\n", "e1", 0, usize::MAX / 2),
            1..=5 => b"HTTP/1.1 503 Slow Down\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".to_vec(),
            _ => b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".to_vec(),
        }
    });
    let job = world.job("f", "f.csv", "t", max_rejects(1));
    assert_eq!(world.run_from(&job, &s3).unwrap().rows, 1);
    assert_eq!(requests.lock().unwrap().iter().filter(|method| *method == "put").count(), 6);
}

#[test]
fn a_rejects_file_that_s3_refuses_fails_the_import_at_once() {
    let world = World::sqlite(DDL);
    let s3 = serve_bytes(&world.runtime, move |_, head| match head.starts_with("get") {
        true => answer("id,name,age\n1,a,x\n2,b,2\n", "e1", 0, usize::MAX / 2),
        false => b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".to_vec(),
    });
    let job = world.job("f", "f.csv", "t", max_rejects(1));
    let (name, cause) = named(world.run_from(&job, &s3));
    assert_eq!((name, world.count("t")), (FailureName::SourceDenied, 0));
    assert!(cause.contains("failed to write the rejected rows to s3://uploads/f.csv.f.1.rejects"), "{cause}");
}

#[test]
fn without_a_header_rows_are_told_and_filed_by_their_own_lines() {
    for world in World::both("CREATE TABLE t (a int PRIMARY KEY CHECK (a > 0), b text)") {
        let file = b"1,x\ny,2\n-3,q\n1,z\n4,r\nlast,5\n";
        let options = ImportOptions { no_header: true, ..max_rejects(4) };
        let (result, findings) = world.import_as("f", file, "t", options.clone());
        assert_eq!(result.unwrap().rejects, 4, "{findings:?}");
        let told = |findings: &Findings| -> Vec<_> {
            findings.first_rejects.iter().map(|reject| (reject.line, reject.value.clone())).collect()
        };
        // SQLite does not name the column of a check.
        let is_right = |(told, expected): (&(u64, Option<String>), &(u64, &str))| {
            told.0 == expected.0 && told.1.as_ref().is_none_or(|value| value == expected.1)
        };
        let told_of = told(&findings);
        let expected = [(2, "y"), (3, "-3"), (4, "1"), (6, "last")];
        assert!(told_of.len() == 4 && told_of.iter().zip(&expected).all(is_right), "{told_of:?}");
        let written = String::from_utf8(world.object("f.csv.f.1.rejects").unwrap()).unwrap();
        let ends: Vec<_> =
            written.lines().map(|line| line.rsplitn(3, ',').take(2).collect::<Vec<_>>()).collect();
        assert_eq!(ends, [["2", "y"], ["q", "-3"], ["z", "1"], ["5", "last"]]);
        let (result, findings) =
            world.import_as("g", b"-1,x\n2,y\n-3,q\n", "t", ImportOptions { dry_run: true, ..options });
        assert_eq!(result.unwrap().rejects, 2);
        let told_of = told(&findings);
        assert!(
            told_of.len() == 2 && told_of.iter().zip(&[(1, "-1"), (3, "-3")]).all(is_right),
            "{told_of:?}"
        );
    }
}

#[test]
fn a_file_of_rejects_without_a_header_goes_in_as_corrected_whatever_its_first_row_and_the_table_have_become()
{
    let ddl =
        "CREATE TABLE t (id int, a text, b text); CREATE TABLE w (id int, a text, b text, c text, d text)";
    for world in World::both(ddl) {
        let options = ImportOptions { no_header: true, ..max_rejects(9) };
        let rejects_of = |id: &str, file: &[u8], table: &str, options: &ImportOptions| {
            let (result, findings) = world.import_as(id, file, table, options.clone());
            (result.unwrap(), findings, world.object(&format!("{id}.csv.{id}.1.rejects")).unwrap_or_default())
        };
        // The first row was too large.
        let small = ImportOptions { max_record_bytes: 1024.try_into().unwrap(), ..options.clone() };
        let large = format!("1,v,w\n2,{},big\n3,v,w\ny,v4,w4\n", "x".repeat(2000));
        let (_, _, rejects) = rejects_of("large", large.as_bytes(), "t", &small);
        let corrected = String::from_utf8(rejects).unwrap().replace(",y,", ",4,");
        let (report, findings, again) = rejects_of("large2", corrected.as_bytes(), "t", &small);
        assert_eq!((report.rows, report.rejects), (1, 1), "{findings:?}");
        assert!(
            findings.first_rejects[0].says.contains("and 5 are the table's 3 behind the line"),
            "{findings:?}"
        );
        assert!(String::from_utf8(again).unwrap().starts_with("1,\"has 2 fields"), "it is kept again");
        assert_eq!(
            world.lines("SELECT CAST(id AS text) || a || b AS line FROM t ORDER BY 1"),
            ["1vw", "3vw", "4v4w4"]
        );
        // The first row is two fields short, so that it has as many as the table, with what stands before it.
        let (_, _, rejects) = rejects_of("short", b"1,a,b,c,d\n2,a,b\nx,a,b,c,d\n", "w", &options);
        let corrected = String::from_utf8(rejects).unwrap().replace(",x,", ",3,");
        let (report, findings, _) = rejects_of("short2", corrected.as_bytes(), "w", &options);
        assert_eq!((report.rows, report.rejects), (1, 1), "{findings:?}");
        // The table has got two columns.
        let (_, _, rejects) = rejects_of("more", b"x,a2,b2\n", "t", &options);
        world.execute("ALTER TABLE t ADD COLUMN c text");
        world.execute("ALTER TABLE t ADD COLUMN d text");
        let corrected = String::from_utf8(rejects).unwrap().replace(",x,", ",2,");
        let (report, findings, _) = rejects_of("more2", corrected.as_bytes(), "t", &options);
        assert_eq!((report.rows, report.rejects, world.count("t")), (0, 1, 3), "{findings:?}");
    }
}
