//! What an import says of its file: sentences that name what is there and what helps.

use statemachine::{FailureName, ImportOptions};
use worker::import::create_table::create_missing;

use super::world::{World, max_rejects, named};

#[test]
fn columns_that_are_left_out_on_demand_are_in_the_report() {
    let ddl = "CREATE TABLE t (a INTEGER, b INTEGER GENERATED ALWAYS AS (a * 2) STORED)";
    for world in World::both(ddl) {
        let options = ImportOptions { ignore_unknown: true, ..ImportOptions::default() };
        let (result, findings) = world.import_as("a", b"a,b,extra\n1,5,x\n", "t", options);
        assert_eq!(result.unwrap().rows, 1);
        assert_eq!(
            findings.notes,
            [
                "left out column \"extra\": the table has no column of this name",
                "left out column \"b\": the database computes it itself"
            ]
        );
    }
}

#[test]
fn without_a_header_a_ragged_row_is_held_to_the_first_row() {
    let world = World::sqlite("CREATE TABLE t (a TEXT, b TEXT, c TEXT)");
    let options = ImportOptions { no_header: true, ..max_rejects(0) };
    let (_, cause) = named(world.import(b"1,2,3\n4\n", "t", options));
    assert!(cause.ends_with("line 2: has 1 field, the first row has 3 (field_count)"), "{cause}");
}

#[test]
fn a_table_that_no_import_writes_is_not_one_to_be_allowed() {
    for world in World::both("CREATE TABLE t (a TEXT)") {
        for table in [
            "imports",
            "import_attempts",
            "pg_class",
            "information_schema.tables",
            "\"imports\"",
            "sqlite_schema",
            "\"sqlite_schema\"",
        ] {
            world.put("file.csv", b"a\n1\n");
            let id = table.replace(['.', '"'], "-");
            let (name, cause) =
                named(world.run(&world.job(&id, "file.csv", table, ImportOptions::default())));
            assert_eq!(name, FailureName::TableNotAllowed, "{cause}");
            assert!(cause.ends_with("is Baton's or the database's own, and no import writes it"), "{cause}");
        }
    }
}

#[test]
fn a_name_in_quotes_is_read_as_sql_reads_it() {
    for world in World::both("CREATE TABLE \"Onc e\" (a TEXT)") {
        assert_eq!(world.import(b"a\n1\n", "\"Onc e\"", ImportOptions::default()).unwrap().rows, 1);
        assert_eq!(world.count("\"Onc e\""), 1);
    }
}

#[test]
fn a_table_that_cannot_be_made_is_no_import_to_be_redriven() {
    let world = World::postgres("SELECT 1");
    let file = &b"a\n1\n"[..];
    let refusal = create_missing(&world.database, "nowhere.t", file, &ImportOptions::default());
    let refusal = refusal.unwrap_err().to_string();
    assert!(refusal.contains("then import again") && !refusal.contains("redrive"), "{refusal}");
}
