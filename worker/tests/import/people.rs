//! The example file, from a bucket into both databases.

use statemachine::ImportOptions;

use super::world::World;

const FILE: &[u8] = include_bytes!("../../../examples/people.csv");

const DDL: &str = "CREATE TABLE people (id integer PRIMARY KEY, name varchar(100) NOT NULL, kana varchar(100), \
    email varchar(200) NOT NULL UNIQUE, postal_code varchar(8), prefecture text, address text, birthday date, \
    joined_at timestamp NOT NULL, active boolean NOT NULL, balance decimal(12,2), note text)";

/// Every row of the file again, from the table.
const QUERY: &str = "SELECT id || '|' || name || '|' || kana || '|' || email || '|' || postal_code || '|' || prefecture \
    || '|' || address || '|' || coalesce(note, '') AS line FROM people ORDER BY id";

fn expected() -> Vec<String> {
    let mut reader = csv::Reader::from_reader(FILE);
    let rows = reader.records().map(|row| {
        let row = row.unwrap();
        [0, 1, 2, 3, 4, 5, 6, 11].map(|field| row[field].to_owned()).join("|")
    });
    rows.collect()
}

#[test]
fn the_example_is_imported_row_for_row_into_both_databases() {
    for world in World::both(DDL) {
        let summary = world.import(FILE, "people", ImportOptions::default()).unwrap();
        assert_eq!((summary.rows, summary.rejects, summary.bytes), (5000, 0, FILE.len() as u64));
        assert_eq!(world.lines(QUERY), expected());
        let sum = if world.is_postgres() {
            "SELECT (sum(balance) * 100)::bigint::text AS line FROM people"
        } else {
            "SELECT CAST(CAST(round(sum(balance) * 100) AS integer) AS text) AS line FROM people"
        };
        let cents: i64 = csv::Reader::from_reader(FILE)
            .records()
            .map(|row| row.unwrap()[10].replace('.', "").parse::<i64>().unwrap_or(0))
            .sum();
        assert_eq!(world.lines(sum), [cents.to_string()]);
    }
}
