//! A table made from a file takes that file.

use statemachine::ImportOptions;
use worker::import::create_table::{Dialect, infer};

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
