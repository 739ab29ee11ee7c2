//! A table made from a file takes that file.

use std::io::Read;

use chrono::{DateTime, NaiveDateTime};
use proptest::prelude::{Just, Strategy, prop, prop_oneof};
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use statemachine::{FailureName, ImportOptions};
use worker::import::create_table::{Dialect, Kept, Made, Refusal, create_missing, infer};
use worker::import::writable_tables;

use super::world::{World, max_rejects, named};

const FILE: &[u8] = include_bytes!("../../../examples/people.csv");

#[test]
fn the_table_made_from_the_example_takes_the_example() {
    for world in World::both("SELECT 1") {
        let dialect = if world.is_postgres() { Dialect::Postgres } else { Dialect::Sqlite };
        let ddl = infer(FILE, "people", dialect, &ImportOptions::default()).unwrap();
        assert!(ddl.contains("\"postal_code\" text") && ddl.contains("\"birthday\" date"), "{ddl}");
        world.execute(&ddl);
        assert_eq!(world.import(FILE, "people", ImportOptions::default()).unwrap().rows, 5000);
    }
}

#[test]
fn only_tables_that_rows_can_be_imported_into_are_offered() {
    let names = |world: &World| writable_tables(&mut world.database.connect().unwrap()).unwrap();
    let ddl = "CREATE TABLE people (id bigint); CREATE TABLE \"顧客\" (id bigint); \
               CREATE VIEW everybody AS SELECT * FROM people; CREATE VIEW counted AS SELECT count(*) AS n FROM people";
    assert_eq!(names(&World::sqlite(ddl)), ["people", "顧客"]);
    let world = World::postgres(&format!(
        "{ddl}; CREATE SCHEMA sales; CREATE TABLE sales.orders (at date) PARTITION BY RANGE (at); \
         CREATE TABLE sales.orders_2026 PARTITION OF sales.orders DEFAULT"
    ));
    // PostgreSQL can write through a view that shows one table's rows.
    assert_eq!(names(&world), ["everybody", "people", "sales.orders", "顧客"]);
}

/// Texts of which a column is made: usually of one kind, sometimes of two.
const TEXTS: &[&str] = &[
    "(true|false|True|FALSE)",
    "-?[0-9]{1,3}",
    "-?[1-9][0-9]{0,2}",
    "[1-9][0-9]{3,17}",
    "-?(0|[1-9][0-9]{0,20})",
    "-?(0|[1-9][0-9]{0,6})\\.[0-9]{0,3}[1-9]",
    "-?[0-9]{1,3}\\.[0-9]{0,3}",
    "-?(0|[1-9][0-9]{0,9})\\.[0-9]{1,9}[1-9]?",
    "[+-]?[0-9]{0,2}(\\.[0-9]{1,2})?(e[0-9])?",
    "[0-2][0-9]{3}-(0[1-9]|1[0-2])-[0-2][0-9]",
    "2[0-9]{3}[-/]?0[1-9][-/]?1[0-9]",
    "2[0-9]{3}-0[1-9]-1[0-9][T ]1[0-9]:[0-5][0-9]",
    "2[0-9]{3}-0[1-9]-1[0-9][T ]1[0-9]:[0-5][0-9](:[0-5][0-9]([.,][0-9]{1,7})?)?",
    "2[0-9]{3}-0[1-9]-1[0-9][T ]1[0-9]:[0-5][0-9](:[0-5][0-9](\\.[0-9]{1,6})?)?(Z|[+-]0[0-9](:?[03]0)?)",
    "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}",
    "\\{?[0-9a-fA-F]{8}-?([0-9A-F]{4}-?){3}[0-9a-f]{12}\\}?",
    " ?[0-9]{1,2} ?",
    "[０-９]{1,2}",
    "[a-c東 \n\",]{0,4}",
];

/// A column's texts; an empty one is NULL in every type.
fn column() -> impl Strategy<Value = Vec<String>> {
    let texts = |pattern: usize| prop::string::string_regex(TEXTS[pattern]).unwrap();
    (0..TEXTS.len(), 0..TEXTS.len(), prop::bool::weighted(0.3)).prop_flat_map(move |(one, other, mixed)| {
        let other = if mixed { other } else { one };
        let value = prop_oneof![8 => texts(one), 1 => texts(other), 1 => Just(String::new())];
        prop::collection::vec(value, ROWS)
    })
}

const ROWS: usize = 10;
const COLUMNS: usize = 12;
const FILES: u32 = 40;

/// What a value becomes in its type's own form: the README's list of what a created table may write otherwise.
fn in_own_form(kind: &str, text: &str) -> String {
    match kind {
        "boolean" => match text.to_lowercase().as_str() {
            "1" => "true".to_owned(),
            "0" => "false".to_owned(),
            word => word.to_owned(),
        },
        "uuid" => text.to_lowercase(),
        "timestamp" | "timestamptz" => {
            let text = text.replace('T', " ").replace(',', ".").replace('Z', "+00");
            let behind_day = text.split_at(11).1;
            let zone = behind_day.find(['+', '-']).map_or(text.len(), |at| at + 11);
            let (time, zone) = text.split_at(zone);
            let time = if time.len() == 16 { format!("{time}:00") } else { time.to_owned() };
            if kind == "timestamp" {
                return NaiveDateTime::parse_from_str(&time, "%Y-%m-%d %H:%M:%S%.f").unwrap().to_string();
            }
            let moment = DateTime::parse_from_str(&format!("{time}{zone}"), "%Y-%m-%d %H:%M:%S%.f%#z");
            moment.unwrap().to_utc().to_string()
        }
        _ => text.to_owned(),
    }
}

/// Whether what is stored is what was written, or the same in the type's own form.
fn is_kept(kind: &str, is_postgres: bool, written: &str, stored: &str) -> bool {
    if kind == "numeric" && !is_postgres {
        // A binary fraction, which SQLite writes in its own way: the same digits, none of which was lost.
        return written.parse::<f64>().unwrap() == stored.parse::<f64>().unwrap() && !written.ends_with(".0");
    }
    in_own_form(kind, written) == in_own_form(kind, stored)
}

/// The types of a created table's columns.
fn kinds(ddl: &str) -> Vec<String> {
    ddl.lines()
        .filter(|line| line.starts_with("  \""))
        .map(|line| line.rsplit(' ').next().unwrap().trim_end_matches(',').to_owned())
        .collect()
}

fn file_of(columns: &[Vec<String>]) -> Vec<u8> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let names = (0..columns.len()).map(|number| format!("c{number}"));
    writer.write_record(std::iter::once("n".to_owned()).chain(names)).unwrap();
    for row in 0..ROWS {
        let fields = columns.iter().map(|column| column[row].clone());
        writer.write_record(std::iter::once((10 + row).to_string()).chain(fields)).unwrap();
    }
    writer.into_inner().unwrap()
}

#[test]
fn a_created_table_gives_back_what_the_file_says() {
    for world in World::both("SELECT 1") {
        let (mut seen, mut number) = (std::collections::BTreeMap::new(), 0);
        let dialect = if world.is_postgres() { Dialect::Postgres } else { Dialect::Sqlite };
        let mut runner = TestRunner::deterministic();
        for _ in 0..FILES {
            let columns = prop::collection::vec(column(), COLUMNS).new_tree(&mut runner).unwrap().current();
            number += 1;
            let (table, file) = (format!("t{number}"), file_of(&columns));
            let ddl = infer(file.as_slice(), &table, dialect, &ImportOptions::default()).unwrap();
            world.execute(&ddl);
            let (result, findings) = world.import_as(&table, &file, &table, ImportOptions::default());
            assert!(result.is_ok(), "{ddl}\n{findings:?}\n{}", String::from_utf8_lossy(&file));
            for (place, (kind, written)) in kinds(&ddl)[1..].iter().zip(&columns).enumerate() {
                *seen.entry(kind.clone()).or_insert(0) += 1;
                let query = format!("SELECT CAST(c{place} AS text) AS line FROM {table} ORDER BY n");
                for (written, stored) in written.iter().zip(world.lines(&query)) {
                    let is_same = match (written.as_str(), stored.as_str()) {
                        ("", stored) => stored == "NULL",
                        (written, stored) => is_kept(kind, world.is_postgres(), written, stored),
                    };
                    assert!(is_same, "{kind}: {written:?} is {stored:?} in {dialect:?}");
                }
            }
        }
        assert!(seen.len() == 8 && seen.values().all(|count| *count > 5), "{seen:?}");
    }
}

#[test]
fn a_table_is_made_for_a_file_with_empty_columns_at_its_end() {
    for world in World::both("SELECT 1") {
        let file = b"a,b,,\n1,x,,\n2,y\n3,z,, \n";
        create_missing(&world.database, "t", &file[..], &ImportOptions::default()).unwrap().unwrap();
        let (result, findings) = world.import_as("1", file, "t", max_rejects(1));
        assert_eq!(result.unwrap().rows, 2);
        assert_eq!(findings.first_rejects[0].reason, "field_count");
        assert_eq!(world.lines("SELECT CAST(a AS text) || b AS line FROM t ORDER BY a"), ["1x", "2y"]);
        let options = ImportOptions { ignore_unknown: true, ..ImportOptions::default() };
        let file = b"a,,b\n1,2,x\n";
        create_missing(&world.database, "u", &file[..], &options).unwrap().unwrap();
        assert_eq!(world.import_as("2", file, "u", options).0.unwrap().rows, 1);
        assert_eq!(world.lines("SELECT CAST(a AS text) || b AS line FROM u"), ["1x"]);
    }
}

#[test]
fn a_value_below_no_name_is_told_by_its_field() {
    for world in World::both("CREATE TABLE t (a int, b text)") {
        let file = b"a,b,,\n1,x,,\n2,y,z,\n3,y,,z\n4,y,,,z\n5,y,,,\n";
        let (_, findings) = world.import_as("1", file, "t", max_rejects(9));
        let says: Vec<_> = findings.first_rejects.iter().map(|reject| reject.says.as_str()).collect();
        assert_eq!(
            says,
            [
                "has a value in field 3, which has no name in the header",
                "has a value in field 4, which has no name in the header",
                "has 5 fields, the header has 4"
            ]
        );
    }
}

#[test]
fn a_file_is_not_taken_for_one_that_is_in_a_table_which_is_made_anew() {
    for world in World::both("SELECT 1") {
        let file = &b"a,b\n1,x\n"[..];
        let once = || ImportOptions { once: true, ..ImportOptions::default() };
        let make = || create_missing(&world.database, "t", file, &once()).unwrap();
        assert!(make().is_some());
        assert_eq!(world.import_as("1", file, "t", once()).0.unwrap().rows, 1);
        assert!(make().is_none());
        let (name, _) = named(world.import_as("2", file, "t", once()).0);
        assert_eq!(name, FailureName::AlreadyImported);
        // A table of another name is none of this one.
        world.execute("CREATE TABLE other (a int, b text)");
        assert_eq!(world.import_as("3", file, "other", once()).0.unwrap().rows, 1);
        world.execute("DROP TABLE t");
        assert!(make().is_some());
        assert_eq!(world.import_as("4", file, "t", once()).0.unwrap().rows, 1);
        let (name, cause) = named(world.import_as("5", file, "t", once()).0);
        assert!(name == FailureName::AlreadyImported && cause.contains("as 4"), "{cause}");
        assert_eq!(named(world.import_as("6", file, "other", once()).0).0, FailureName::AlreadyImported);
    }
}

/// Names of tables; what PostgreSQL and SQLite then call them, none where they make none.
const NAMES: [(&str, Option<&str>, Option<&str>); 16] = [
    ("\"CTQ\"", Some("public.CTQ"), Some("CTQ")),
    ("\"a.b\"", Some("public.a.b"), Some("a.b")),
    ("public.\"a.c\"", Some("public.a.c"), None),
    ("main.\"a.c\"", None, Some("a.c")),
    ("\"Sal.es\".\"a\"\"b\"", Some("Sal.es.a\"b"), None),
    ("Foo.bar", Some("Foo.bar"), Some("Foo.bar")),
    ("Foo.b.c", Some("Foo.b.c"), Some("Foo.b.c")),
    ("public.People", Some("public.People"), Some("public.People")),
    ("MAIN.m", None, Some("m")),
    ("temp.t", None, Some("temp.t")),
    ("\"temp\".\"t\"", None, None),
    ("\"pg_temp\".\"t\"", None, None),
    ("my table", Some("public.my table"), Some("my table")),
    ("it's", Some("public.it's"), Some("it's")),
    (".x.", Some("public..x."), Some(".x.")),
    ("\"open", None, None),
];

#[test]
fn a_table_that_was_made_is_the_one_that_its_import_finds() {
    for world in World::both("SELECT 1") {
        if world.is_postgres() {
            world.execute("CREATE SCHEMA \"Foo\"; CREATE SCHEMA \"Sal.es\"");
        }
        let query = if world.is_postgres() {
            "SELECT n.nspname || '.' || c.relname AS line FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
             WHERE c.relkind = 'r' AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_(catalog|toast)'"
        } else {
            "SELECT name AS line FROM sqlite_schema WHERE type = 'table' UNION ALL \
             SELECT name FROM sqlite_temp_schema WHERE type = 'table'"
        };
        for (number, (name, on_postgres, on_sqlite)) in NAMES.into_iter().enumerate() {
            let expected = if world.is_postgres() { on_postgres } else { on_sqlite };
            let before = world.lines(query);
            let made = create_missing(&world.database, name, &b"a\n1\n"[..], &ImportOptions::default());
            let mut new = world.lines(query);
            new.retain(|table| !before.contains(table));
            assert_eq!(new, Vec::from_iter(expected), "{name}: {made:?}");
            let Ok(made) = made else { continue };
            let made = made.unwrap();
            let id = format!("i{number}");
            assert_eq!(world.import_as(&id, b"a\n1\n", name, ImportOptions::default()).0.unwrap().rows, 1);
            let again = create_missing(&world.database, name, &b"a\n1\n"[..], &ImportOptions::default());
            assert!(again.unwrap().is_none(), "{name}");
            let own = id.parse().unwrap();
            world.execute("UPDATE \"baton_jobs\" SET status = 'FAILURE', error = 'Import.TooManyRejects'");
            assert_eq!(made.undo(&world.database, &own).unwrap(), Some(Kept::HasRows), "{name}");
            let table = made.statement().strip_prefix("CREATE TABLE ").unwrap().split_once(" (\n").unwrap().0;
            world.execute(&format!("DELETE FROM {table}"));
            assert_eq!(made.undo(&world.database, &own).unwrap(), None, "{name}");
            assert_eq!(world.lines(query).len(), before.len(), "{name}");
        }
    }
}

fn made(world: &World) -> Made {
    create_missing(&world.database, "made", &b"a,b\n1,x\n"[..], &ImportOptions::default()).unwrap().unwrap()
}

fn undo(world: &World, made: &Made) -> Option<Kept> {
    made.undo(&world.database, &"own".parse().unwrap()).unwrap()
}

fn is_there(world: &World) -> bool {
    writable_tables(&mut world.database.connect().unwrap()).unwrap().contains(&"made".to_owned())
}

#[test]
fn a_table_that_was_made_for_a_failed_import_goes_again() {
    for world in World::both("SELECT 1") {
        let table = made(&world);
        assert!(is_there(&world) && table.statement().starts_with("CREATE TABLE \"made\""));
        let (result, _) = world.import_as("own", b"a,b\nx,x\n", "made", ImportOptions::default());
        assert!(result.is_err());
        assert_eq!(undo(&world, &table), Some(Kept::IsAwaited), "somebody may still work on it");
        world.execute("UPDATE \"baton_jobs\" SET status = 'FAILURE', error = 'Import.TooManyRejects'");
        assert_eq!(undo(&world, &table), None);
        assert!(!is_there(&world));
        assert_eq!(undo(&world, &table), Some(Kept::IsAnother));
    }
}

#[test]
fn a_table_that_others_use_or_made_is_not_dropped() {
    for world in World::both("SELECT 1") {
        let table = made(&world);
        world.execute("INSERT INTO made (a) VALUES (1)");
        assert_eq!(undo(&world, &table), Some(Kept::HasRows));
        world.execute("DELETE FROM made; CREATE INDEX others ON made (a)");
        assert_eq!(undo(&world, &table), Some(Kept::WasChanged));
        world.execute("DROP TABLE made; CREATE TABLE made (a bigint)");
        assert_eq!(undo(&world, &table), Some(Kept::IsAnother));
        world.execute("DROP TABLE made");
        let table = made(&world);
        world.execute("ALTER TABLE made ADD COLUMN others integer");
        assert_eq!(undo(&world, &table), Some(Kept::IsAnother));
        world.execute("DROP TABLE made");
        let table = made(&world);
        let other = world.job("other", "other.csv", "made", ImportOptions::default());
        assert_eq!(undo(&world, &table), Some(Kept::IsAwaited), "{other:?}");
        assert!(is_there(&world));
        world.execute("UPDATE \"baton_jobs\" SET status = 'FAILURE', error = 'Import.SourceUnreadable'");
        assert_eq!(undo(&world, &table), None);
    }
}

/// A file that somebody else makes the table for while it is read.
struct MadeMeanwhile<'a> {
    world: &'a World,
    file: &'static [u8],
}

impl Read for MadeMeanwhile<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if self.file.len() == FEW.len() {
            self.world.execute("CREATE TABLE t (id bigint, name text)");
        }
        self.file.read(buffer)
    }
}

const FEW: &[u8] = b"id,name\n1,a\n";

#[test]
fn a_table_that_somebody_else_makes_meanwhile_is_the_one_that_is_imported_into() {
    for world in World::both("SELECT 1") {
        let file = MadeMeanwhile { world: &world, file: FEW };
        let made = create_missing(&world.database, "t", file, &ImportOptions::default()).unwrap();
        assert!(made.is_none(), "it is not this command's, which drops what it made");
        assert_eq!(world.import(FEW, "t", ImportOptions::default()).unwrap().rows, 1);
    }
}

#[test]
fn a_file_has_as_many_columns_as_a_table_of_the_database_can_have() {
    for (world, most) in [(World::postgres(""), 1600), (World::sqlite(""), 2000)] {
        let header: Vec<_> = (1..=most).map(|number| format!("c{number}")).collect();
        // A row of PostgreSQL has to fit into a page.
        let file = |header: &[String]| format!("{}\n{}7\n", header.join(","), ",".repeat(header.len() - 1));
        let options = ImportOptions::default();
        create_missing(&world.database, "wide", file(&header).as_bytes(), &options).unwrap().unwrap();
        let (result, _) = world.import_as("a", file(&header).as_bytes(), "wide", options.clone());
        assert_eq!(result.unwrap().rows, 1);
        let last = format!("SELECT CAST(c{most} AS TEXT) AS line FROM wide");
        assert_eq!(world.lines(&last), ["7"]);

        let wider = [&header[..], &["more".to_owned()]].concat();
        let refused =
            create_missing(&world.database, "wider", file(&wider).as_bytes(), &options).unwrap_err();
        assert!(
            matches!(refused, Refusal::TooManyColumns { columns, .. } if columns == most + 1),
            "{refused}"
        );
        // What the table does not have may be left out.
        let options = ImportOptions { ignore_unknown: true, ..options };
        let (result, _) = world.import_as("b", file(&wider).as_bytes(), "wide", options);
        assert_eq!(result.unwrap().rows, 1);
    }
}
