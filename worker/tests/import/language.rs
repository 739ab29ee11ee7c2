//! A PostgreSQL that speaks Japanese. What its errors mean is the same, since their codes are.

use std::sync::OnceLock;

use diesel::connection::SimpleConnection as _;
use statemachine::{FailureName, ImportOptions};
use worker::db::Connection;

use super::world::{World, max_rejects, named};
use crate::postgres::Cluster;

/// A trigger that refuses one row for a reason of its own, and a key that refuses another.
const DDL: &str = "CREATE TABLE people (id int PRIMARY KEY, name text); \
     CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS \
     $$ BEGIN IF NEW.name = 'x' THEN RAISE EXCEPTION 'connection refused'; END IF; RETURN NEW; END $$; \
     CREATE TRIGGER refuse BEFORE INSERT ON people FOR EACH ROW EXECUTE FUNCTION refuse()";

fn japanese() -> World {
    static CLUSTER: OnceLock<Cluster> = OnceLock::new();
    // The locale C.UTF-8 is everywhere, and translates where the variable names a language.
    let start = || Cluster::start("-F -c lc_messages=C.UTF-8", &[("LANGUAGE", "ja")]);
    let world = World::postgres_at(&CLUSTER.get_or_init(start).create_database());
    world.execute(DDL);
    let sentence = "SELECT short_desc AS line FROM pg_settings WHERE name = 'lc_messages'";
    let says = world.lines(sentence).remove(0);
    let missing =
        "PostgreSQL's Japanese messages are missing; they are part of its package, but not of slim images";
    assert!(!says.is_ascii(), "{missing}: {says}");
    world
}

#[test]
fn rows_are_blamed_by_code_in_any_language() {
    let world = japanese();
    world.put("rows.csv", "id,name\n1,a\n2,x\n1,b\n3,c\n".as_bytes());
    let summary = world.run(&world.job("1", "rows.csv", "people", max_rejects(2))).unwrap();
    assert_eq!((summary.rows, summary.rejects), (2, 2));
}

#[test]
fn an_outage_is_told_by_its_code_in_any_language() {
    let world = japanese();
    let name = world.lines("SELECT current_database()::text AS line").remove(0);
    world.execute(&format!("ALTER DATABASE {name} SET lock_timeout = '50ms'"));
    let Connection::Postgres(mut other) = world.database.connect().unwrap() else { panic!("no PostgreSQL") };
    other.batch_execute("BEGIN; LOCK TABLE people").unwrap();
    let (name, cause) = named(world.import(b"id,name\n1,a\n", "people", ImportOptions::default()));
    assert_eq!(name, FailureName::DatabaseUnavailable);
    assert!(!cause.is_ascii() && cause.contains("SQLSTATE 55P03"), "{cause}");
}
