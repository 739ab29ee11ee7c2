//! A table made from a file takes that file.

use statemachine::ImportOptions;
use worker::import::create_table::{Dialect, infer};
use worker::import::writable_tables;

use super::world::World;

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
