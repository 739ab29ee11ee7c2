//! A PostgreSQL that speaks Japanese. What it says is read only where it can be had to speak English.

use std::sync::OnceLock;

use diesel::connection::SimpleConnection as _;
use statemachine::{FailureName, ImportOptions};
use worker::db::{Connection, Database};

use super::world::{World, max_rejects, named};
use crate::postgres::Cluster;

/// A trigger that refuses one row for a reason of its own, and a key that refuses another.
const DDL: &str = "CREATE TABLE people (id int PRIMARY KEY, name text); \
     CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS \
     $$ BEGIN IF NEW.name = 'x' THEN RAISE EXCEPTION 'nobody is called x'; END IF; RETURN NEW; END $$; \
     CREATE TRIGGER refuse BEFORE INSERT ON people FOR EACH ROW EXECUTE FUNCTION refuse()";

/// The same database as its owner sees it, who may choose the language, and as a role that may not.
fn japanese() -> (World, World) {
    static CLUSTER: OnceLock<Cluster> = OnceLock::new();
    // The locale C.UTF-8 is everywhere, and translates where the variable names a language.
    let start = || {
        let cluster = Cluster::start("-F -c lc_messages=C.UTF-8", &[("LANGUAGE", "ja")]);
        let database = Database::parse(&cluster.create_database()).unwrap();
        let roles = "CREATE ROLE weak LOGIN";
        database.connect().unwrap().batch_execute(roles).unwrap();
        cluster
    };
    let url = CLUSTER.get_or_init(start).create_database();
    let owner = World::postgres_at(&url);
    owner.execute(DDL);
    grant_all(&owner, "weak");
    let weak = World::postgres_at(&url.replace("baton@", "weak@"));
    let sentence = "SELECT short_desc AS line FROM pg_settings WHERE name = 'lc_messages'";
    let says = weak.lines(sentence).remove(0);
    let missing =
        "PostgreSQL's Japanese messages are missing; they are part of its package, but not of slim images";
    assert!(!says.is_ascii(), "{missing}: {says}");
    (owner, weak)
}

fn grant_all(owner: &World, role: &str) {
    owner.execute(&format!(
        "GRANT ALL ON SCHEMA public TO {role}; GRANT ALL ON ALL TABLES IN SCHEMA public TO {role}"
    ));
}

/// What an import says that finds its table locked.
fn says_of_a_lock(owner: &World, world: &World) -> (FailureName, String) {
    let name = owner.lines("SELECT current_database()::text AS line").remove(0);
    owner.execute(&format!("ALTER DATABASE {name} SET lock_timeout = '50ms'"));
    let Connection::Postgres(mut other) = owner.database.connect().unwrap() else { panic!("no PostgreSQL") };
    other.batch_execute("BEGIN; LOCK TABLE people").unwrap();
    named(world.import(b"id,name\n1,a\n", "people", ImportOptions::default()))
}

#[test]
fn a_database_that_speaks_japanese_is_had_to_speak_english() {
    let (owner, _) = japanese();
    let (name, cause) = says_of_a_lock(&owner, &owner);
    assert_eq!(name, FailureName::DatabaseUnavailable);
    assert!(cause.contains("canceling statement due to lock timeout"), "{cause}");
    owner.put("rows.csv", b"id,name\n1,a\n2,x\n1,b\n3,c\n");
    let summary = owner.run(&owner.job("2", "rows.csv", "people", max_rejects(2))).unwrap();
    assert_eq!((summary.rows, summary.rejects), (2, 2));
}

#[test]
fn where_nobody_can_read_what_the_database_says_no_row_is_blamed_and_the_import_is_tried_again() {
    let (owner, weak) = japanese();
    let (name, cause) = says_of_a_lock(&owner, &weak);
    assert_eq!(name, FailureName::DatabaseUnavailable, "{cause}");
    assert!(!cause.is_ascii() && cause.contains("SET lc_messages = 'C'"), "{cause}");
    // The trigger's own words are English, but so might be those of a full disk in a language that nobody knows.
    weak.put("trigger.csv", b"id,name\n1,a\n2,x\n");
    let (name, _) = named(weak.run(&weak.job("2", "trigger.csv", "people", max_rejects(2))));
    assert_eq!((name, weak.count("people")), (FailureName::DatabaseUnavailable, 0));
    // What has a kind of its own is told in any language.
    weak.put("key.csv", b"id,name\n1,a\n1,b\n");
    let summary = weak.run(&weak.job("3", "key.csv", "people", max_rejects(2))).unwrap();
    assert_eq!((summary.rows, summary.rejects), (1, 1));
}

#[test]
fn a_role_that_was_given_english_is_understood() {
    let (owner, weak) = japanese();
    owner.execute("CREATE ROLE advised LOGIN");
    grant_all(&owner, "advised");
    owner.execute("ALTER ROLE advised SET lc_messages = 'C'");
    drop(weak);
    let url = owner.lines("SELECT 'postgres://advised@127.0.0.1:' || current_setting('port') || '/' || current_database() AS line");
    let advised = World::postgres_at(&url[0]);
    advised.put("trigger.csv", b"id,name\n1,a\n2,x\n");
    let summary = advised.run(&advised.job("1", "trigger.csv", "people", max_rejects(2))).unwrap();
    assert_eq!((summary.rows, summary.rejects), (1, 1));
}
