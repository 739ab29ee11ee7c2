//! Row contents never reach a log: not by the words of a database either, whatever code a trigger gives them.

use serde_json::{Value, json};
use statemachine::FailureName;

use super::run_worker;
use crate::import::world::World;
use crate::step_functions::Answer;

const SECRET: &str = "ann.smith@example.com";

/// One code of each kind: rows, set-up, outages, faults, and codes that nobody knows.
const CODES: [&str; 20] = [
    "P0001", "22P02", "23505", "23514", "44000", "54000", "U0001", "42501", "42P01", "0A000", "3D000",
    "57P04", "57P03", "08006", "40001", "53100", "55P03", "58030", "XX000", "25P02",
];

/// What an import of three rows, of which the second raises an error, leaves in the log, and what it reports.
fn import(world: &World, id: &str, options: &Value) -> (String, String) {
    world.put("people.csv", format!("id,email\n1,a@b\n2,{SECRET}\n3,c@d\n").as_bytes());
    let ended = run_worker(world, (id, "people.csv", "people"), options, |_| Answer::Taken);
    assert_eq!(ended.reports.len(), 1, "{}", ended.log);
    assert!(ended.log.lines().all(|line| serde_json::from_str::<Value>(line).is_ok()), "{}", ended.log);
    (ended.log.clone(), ended.told())
}

#[test]
fn no_code_of_an_error_brings_a_value_into_the_log() {
    let world = World::postgres(
        "CREATE TABLE people (id int, email text);
         CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
           RAISE NOTICE 'looks at %', NEW.email;
           IF NEW.id = 2 THEN
             RAISE EXCEPTION 'could not connect for %', NEW.email USING ERRCODE = TG_ARGV[0],
               DETAIL = 'it is ' || NEW.email, HINT = 'drop ' || NEW.email;
           END IF;
           RETURN NEW;
         END $$",
    );
    for (number, code) in CODES.iter().enumerate() {
        world.execute(&format!(
            "CREATE OR REPLACE TRIGGER refuse BEFORE INSERT ON people FOR EACH ROW EXECUTE FUNCTION refuse('{code}')"
        ));
        // In one import the row is the last straw, in the other one a reject, where its code says that it may be one.
        for max_rejects in [0, 3] {
            let (log, told) =
                import(&world, &format!("i{number}-{max_rejects}"), &json!({"max_rejects": max_rejects}));
            assert!(!log.contains(SECRET), "{code}: {log}");
            assert!(told.contains(SECRET), "a person reads it: {told}");
        }
    }
    let rows = world
        .lines("SELECT status || ' ' || coalesce(error, '') AS line FROM \"baton_jobs\" WHERE id = 'i12-0'");
    assert_eq!(rows, [format!("FAILURE {}", FailureName::DatabaseUnavailable)]);
}

#[test]
fn a_log_says_which_statement_failed_and_with_which_code() {
    let world = World::postgres(
        "CREATE TABLE people (id int, email text);
         CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
           RAISE EXCEPTION 'no % today', NEW.email USING ERRCODE = '57P03'; END $$;
         CREATE TRIGGER refuse BEFORE INSERT ON people FOR EACH ROW EXECUTE FUNCTION refuse()",
    );
    let (log, told) = import(&world, "i", &json!({}));
    let says = "failed to write rows into \\\"people\\\" (SQLSTATE 57P03); what the database said is in the import's row";
    assert!(log.contains(says), "{log}");
    assert!(told.contains("no a@b today"), "{told}");
}

#[test]
fn the_words_of_a_trigger_of_sqlite_stay_out_of_the_log() {
    for begins in ["no such table: ", "database is locked", "could not connect for "] {
        let world = World::sqlite(&format!(
            "CREATE TABLE people (id INTEGER, email TEXT); CREATE TABLE seen (email TEXT);
             CREATE TRIGGER refuse BEFORE INSERT ON people WHEN NEW.id = 2 BEGIN
               SELECT RAISE(ABORT, '{begins}' || NEW.email); END"
        ));
        for max_rejects in [0, 3] {
            let (log, told) =
                import(&world, &format!("i{max_rejects}"), &json!({"max_rejects": max_rejects}));
            assert!(!log.contains(SECRET), "{log}");
            assert!(told.contains(SECRET), "{told}");
        }
    }
}
