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
    let of_sqlite = [
        "baton_jobs",
        "BATON_JOBS",
        "main.baton_attempts",
        "\"baton_migrations\"",
        "sqlite_schema",
        "SQLITE_master",
        "main.\"sqlite_temp_master\"",
    ];
    let of_postgres = [
        "baton_ledger.jobs",
        "baton_ledger.\"attempts\"",
        "baton_ledger.imported_files",
        "baton_ledger.migrations",
        "pg_class",
        "pg_catalog.pg_authid",
        "information_schema.tables",
    ];
    let missing_in_postgres = ["pg_temp.t", "\"pg_toast\".t"];
    for world in World::both("CREATE TABLE t (a TEXT)") {
        let own = if world.is_postgres() {
            [of_postgres.as_slice(), &missing_in_postgres].concat()
        } else {
            of_sqlite.to_vec()
        };
        for (number, table) in own.iter().enumerate() {
            world.put("file.csv", b"a\n1\n");
            let job = world.job(&number.to_string(), "file.csv", table, ImportOptions::default());
            let (name, cause) = named(world.run(&job));
            assert_eq!(name, FailureName::TableNotAllowed, "{table}: {cause}");
            assert!(cause.ends_with("is Baton's or the database's own, and no import writes it"), "{cause}");
        }
    }
}

#[test]
fn a_table_that_is_only_called_like_batons_or_the_databases_own_is_written() {
    let of_sqlite = "CREATE TABLE \"sales.baton_jobs\" (a TEXT); CREATE TABLE pg_things (a TEXT); CREATE TABLE \"information_schema.x\" (a TEXT)";
    let of_postgres = "CREATE SCHEMA sales; CREATE TABLE sales.jobs (a text); CREATE TABLE pg_things (a text);
                       CREATE TABLE jobs (a text); CREATE TABLE sales.migrations (a text);
                       CREATE SCHEMA \"Information_Schema\"; CREATE TABLE \"Information_Schema\".tables (a text)";
    let sqlite = World::sqlite(of_sqlite);
    for table in ["sales.baton_jobs", "pg_things", "information_schema.x"] {
        let (result, _) =
            sqlite.import_as(&table.replace('.', "-"), b"a\n1\n", table, ImportOptions::default());
        assert_eq!(result.unwrap().rows, 1, "{table}");
    }
    let postgres = World::postgres(of_postgres);
    for table in ["sales.jobs", "pg_things", "jobs", "sales.migrations", "Information_Schema.tables"] {
        let (result, _) =
            postgres.import_as(&table.replace('.', "-"), b"a\n1\n", table, ImportOptions::default());
        assert_eq!(result.unwrap().rows, 1, "{table}");
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
