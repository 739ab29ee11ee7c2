//! Searching the imports, and the imports by the hour, on both databases.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use chrono::{NaiveDate, NaiveDateTime, TimeDelta};
use statemachine::Kind;
use worker::imports;
use worker::ledger::{self, HourCount, JobStatus, Page, Position, Search};

use super::fixture::{OURS, TestDatabase, new_import};

/// Imports, as `(id, file, table, error, created_at)`.
type Told<'a> = (&'a str, &'a str, &'a str, Option<&'a str>, NaiveDateTime);

fn at(hour: u32, minute: u32) -> NaiveDateTime {
    NaiveDate::from_ymd_opt(2026, 1, 2).unwrap().and_hms_opt(hour, minute, 0).unwrap()
}

fn insert(test: &TestDatabase, imports: &[Told<'_>]) {
    let mut sql = String::new();
    for (id, file, table, error, created_at) in imports {
        let (status, error, cause, finished) = match error {
            Some(name) => ("FAILURE", format!("'{name}'"), "'no such relation'", format!("'{created_at}'")),
            None => ("PENDING", "NULL".to_owned(), "NULL", "NULL".to_owned()),
        };
        writeln!(
            sql,
            "INSERT INTO \"baton_jobs\" (id, kind, source, subject, status, error, cause, created_at, finished_at) VALUES \
             ('{id}', 'import', 's3://uploads/{file}', '{table}', '{status}', {error}, {cause}, '{created_at}', {finished});"
        )
        .unwrap();
    }
    test.execute(&sql);
}

fn some(test: &TestDatabase) {
    let (missing, header) = (Some("Import.TableMissing"), Some("Import.HeaderMismatch"));
    insert(
        test,
        &[
            ("b", "people.csv", "people", None, at(9, 0)),
            ("a", "People_2.csv", "people", missing, at(8, 0)),
            ("c", "orders/100%.csv", "sales.orders", header, at(10, 0)),
            ("d", "orders/100x.csv", "sales.orders", None, at(10, 0)),
            ("e", "注文.csv", "sales.orders", missing, at(11, 0)),
        ],
    );
}

fn ids(test: &TestDatabase, search: &Search) -> Vec<String> {
    let page = imports::search(&mut test.connect(), search).unwrap();
    page.rows.into_iter().map(|row| row.id).collect()
}

fn text(text: &str) -> Option<String> {
    Some(text.to_owned())
}

#[test]
fn imports_are_found_by_each_filter_and_by_all_of_them_newest_first() {
    for test in TestDatabase::both() {
        some(&test);
        let all = Search::default();
        assert_eq!(ids(&test, &all), ["e", "c", "d", "b", "a"]);
        let found = |search: Search| ids(&test, &search).concat();
        assert_eq!(found(Search { status: Some(JobStatus::Failure), ..all.clone() }), "eca");
        assert_eq!(found(Search { subject: text("people"), ..all.clone() }), "ba");
        assert_eq!(found(Search { error: text("Import.TableMissing"), ..all.clone() }), "ea");
        assert_eq!(found(Search { since: Some(at(9, 0)), until: Some(at(11, 0)), ..all.clone() }), "cdb");
        // Upper or lower case, and a pattern's own characters are characters.
        assert_eq!(found(Search { file: text("PEOPLE"), ..all.clone() }), "ba");
        assert_eq!(found(Search { file: text("0%"), ..all.clone() }), "c");
        assert_eq!(found(Search { file: text("people_"), ..all.clone() }), "a");
        assert_eq!(found(Search { file: text("s3://uploads/注"), ..all.clone() }), "e");
        for hostile in ["!", "\\", "'; DROP TABLE \"baton_jobs\"; --", "%", "*"] {
            let expected = if hostile == "%" { "c" } else { "" };
            assert_eq!(found(Search { file: text(hostile), ..all.clone() }), expected, "{hostile}");
        }
        assert_eq!(found(Search { text: text("headermismatch"), ..all.clone() }), "c");
        assert_eq!(found(Search { text: text("Such Relation"), ..all.clone() }), "eca");
        assert_eq!(found(Search { text: text("sales."), ..all.clone() }), "ecd");
        let both = Search {
            status: Some(JobStatus::Failure),
            subject: text("sales.orders"),
            error: text("Import.TableMissing"),
            file: text("csv"),
            text: text("注文"),
            since: Some(at(0, 0)),
            ..all
        };
        assert_eq!(found(both), "e");
    }
}

#[test]
fn the_pages_of_a_search_bring_every_import_once_while_new_ones_come() {
    for test in TestDatabase::both() {
        some(&test);
        let mut search = Search { limit: 2, ..Search::default() };
        let mut seen = Vec::new();
        loop {
            let Page { rows, next, .. } = imports::search(&mut test.connect(), &search).unwrap();
            assert!(rows.len() <= 2);
            seen.extend(rows.into_iter().map(|row| row.id));
            let Some(next) = next else { break };
            // As it stands in a URL.
            search.after = Some(next.to_string().parse().unwrap());
            let newer = format!("f{}", seen.len());
            insert(&test, &[(&newer, "new.csv", "people", None, at(12, 0))]);
        }
        // Two were registered at the same time, and the border of a page is between them.
        assert_eq!(seen, ["e", "c", "d", "b", "a"]);
    }
}

#[test]
fn what_is_no_place_of_an_import_is_refused() {
    for text in
        ["", ".", "1", "x.a", "1.", "1.a b", "1.\0", "99999999999999999999.a", "9223372036854775807.a"]
    {
        assert!(text.parse::<Position>().is_err(), "{text:?}");
    }
}

#[test]
fn a_search_tells_the_progress_of_those_that_run() {
    for test in TestDatabase::both() {
        test.register();
        test.claim(OURS);
        test.execute("UPDATE \"baton_jobs\" SET progress = '{\"rows\":7}'");
        let running = Search { status: Some(JobStatus::Running), ..Search::default() };
        let page = imports::search(&mut test.connect(), &running).unwrap();
        assert_eq!(page.rows, [test.row()]);
        assert_eq!((page.rows[0].rows_done, page.next), (7, None));
    }
}

#[test]
fn the_imports_that_ended_are_counted_by_the_hour() {
    for test in TestDatabase::both() {
        some(&test);
        test.execute(
            "UPDATE \"baton_jobs\" SET status = 'SUCCESS', result = '{}', finished_at = '2026-01-02 10:59:59.5' WHERE id = 'd'; \
             UPDATE \"baton_jobs\" SET finished_at = '2026-01-02 10:00:00' WHERE id = 'e'",
        );
        let counts = ledger::counts_by_hour(&mut test.connect(), &Kind::IMPORT, at(8, 1)).unwrap();
        assert_eq!(counts, [HourCount { hour: at(10, 0), successes: 1, failures: 2 }]);
        let counts = ledger::counts_by_hour(&mut test.connect(), &Kind::IMPORT, at(8, 0)).unwrap();
        assert_eq!(counts[0], HourCount { hour: at(8, 0), successes: 0, failures: 1 });
        assert_eq!(counts.len(), 2);
        assert!(ledger::counts_by_hour(&mut test.connect(), &Kind::IMPORT, at(12, 0)).unwrap().is_empty());
    }
}

/// Registers so many imports, a minute apart.
fn many(test: &TestDatabase, imports: u32) {
    let (numbers, created) = if test.url.starts_with("sqlite") {
        (
            format!("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {imports})"),
            "strftime('%Y-%m-%d %H:%M:%f', '2026-01-01', '+' || i || ' minutes')",
        )
    } else {
        (
            format!("WITH n AS (SELECT i FROM generate_series(1, {imports}) i)"),
            "timestamp '2026-01-01' + i * interval '1 minute'",
        )
    };
    test.execute(&format!(
        "{numbers} INSERT INTO \"baton_jobs\" (id, kind, source, subject, status, error, cause, created_at, finished_at) \
         SELECT 'id-' || i, 'import', 's3://uploads/imports/people/' || i || '.csv', 'table_' || (i % 500), 'FAILURE', \
         'Import.Error' || (i % 500), 'a cause of some length, {}', {created}, {created} FROM n; ANALYZE",
        "x".repeat(300)
    ));
}

/// A generous bound, for a machine that is busy with other tests and a SQLite that is built without optimisation: a search
/// that reads every import takes twice as long.
#[test]
fn a_page_of_tens_of_thousands_of_imports_is_there_at_once() {
    for test in TestDatabase::both() {
        many(&test, 30_000);
        let after = Position { created_at: at(0, 0) + TimeDelta::minutes(1000), id: "id-0".to_owned() };
        let mut connection = test.connect();
        for search in [
            Search::default(),
            Search { after: Some(after), ..Search::default() },
            Search { status: Some(JobStatus::Pending), ..Search::default() },
            Search { subject: text("table_7"), ..Search::default() },
            Search { error: text("Import.Error7"), status: Some(JobStatus::Failure), ..Search::default() },
            Search { since: Some(at(0, 0)), until: Some(at(1, 0)), ..Search::default() },
        ] {
            let took = (0..3).map(|_| {
                let begun = Instant::now();
                imports::search(&mut connection, &search).unwrap();
                begun.elapsed()
            });
            let took = took.min().unwrap();
            assert!(took < Duration::from_millis(100), "{took:?} for {search:?} in {}", test.url);
        }
    }
}

#[test]
fn a_search_by_text_is_broken_off_and_goes_on_with_the_next_page() {
    for test in TestDatabase::both() {
        let looked_at = u32::from(ledger::LOOKED_AT);
        // The oldest is found only behind all others.
        many(&test, looked_at + 1);
        let mut connection = test.connect();
        let mut page = |search: &Search| imports::search(&mut connection, search).unwrap();
        let search = Search { text: text("people/1.csv"), ..Search::default() };
        let first = page(&search);
        assert!(first.rows.is_empty() && first.is_broken_off, "{:?}", first.next);
        let second = page(&Search { after: first.next, ..search.clone() });
        assert_eq!(second.rows.iter().map(|row| row.id.as_str()).collect::<Vec<_>>(), ["id-1"]);
        assert!(!second.is_broken_off && second.next.is_none());
        // What an index finds is searched to its end, and so are as many imports as are looked at.
        let by_table = Search { subject: text("table_1"), ..search.clone() };
        let second = page(&by_table);
        assert!(second.rows.len() == 1 && !second.is_broken_off);
        test.execute("DELETE FROM \"baton_jobs\" WHERE id = 'id-2'");
        let all = page(&search);
        assert!(all.rows.len() == 1 && !all.is_broken_off && all.next.is_none());
        // A page that is full before is as it always was.
        let full = page(&Search { file: text("people/"), limit: 3, ..Search::default() });
        assert!(full.rows.len() == 3 && !full.is_broken_off && full.next.is_some());
    }
}

#[test]
fn jobs_of_another_kind_are_no_imports() {
    for test in TestDatabase::both() {
        some(&test);
        let open = |test: &TestDatabase| {
            let mut connection = test.connect();
            let hours = ledger::counts_by_hour(&mut connection, &Kind::IMPORT, at(0, 0)).unwrap();
            let open = ledger::count_open(&mut connection, &Kind::IMPORT).unwrap();
            (hours, open, ids(test, &Search::default()))
        };
        let before = open(&test);
        test.execute(
            "INSERT INTO \"baton_jobs\" (id, kind, created_at) VALUES ('r1', 'report', '2026-01-01 00:00:00'); \
             INSERT INTO \"baton_jobs\" (id, kind, status, error, finished_at) \
             VALUES ('r2', 'report', 'FAILURE', 'Import.TableMissing', '2026-01-02 10:00:00')",
        );
        assert_eq!(open(&test), before);
        let mut connection = test.connect();
        assert_eq!(imports::find(&mut connection, &"r1".parse().unwrap()).unwrap(), None);
        let new = imports::NewImport { import_id: "r1".parse().unwrap(), ..new_import() };
        let refusal = imports::register(&mut connection, &new).unwrap_err().to_string();
        assert!(refusal.contains("r1 is the id of a job of the kind report, not import"), "{refusal}");
    }
}
