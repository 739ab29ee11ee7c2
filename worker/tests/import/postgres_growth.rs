//! Ten times the rows cost about ten times as much, where PostgreSQL tries rows one by one: counted in rows that the server looks
//! at, not in seconds.

use statemachine::{ImportOptions, OnConflict};

use super::world::World;

/// The trigger has rows tried one by one, and says what the server has looked at when the last row comes.
const DDL: &str = "CREATE TABLE t (id int PRIMARY KEY, parent int REFERENCES t); CREATE SEQUENCE looked;
    CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
      IF NEW.id = 1 THEN
        PERFORM setval('looked', (SELECT sum(seq_tup_read + coalesce(idx_tup_fetch, 0)) FROM pg_stat_xact_all_tables)::bigint);
      END IF;
      RETURN NEW; END $$;
    CREATE TRIGGER f BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f()";

/// A row by its number.
type Shape = fn(u32) -> String;

fn looked_at(shape: Shape, options: ImportOptions, rows: u32) -> f64 {
    let world = World::postgres(DDL);
    let file: String = (1..=rows).rev().map(shape).collect();
    let (result, findings) = world.import_as("g", format!("id,parent\n{file}1,\n").as_bytes(), "t", options);
    assert!(result.is_ok(), "{findings:?}");
    world.lines("SELECT last_value::text AS line FROM looked")[0].parse().unwrap()
}

#[test]
fn ten_times_the_rows_have_the_server_look_at_ten_times_as_many() {
    let shapes: [(&str, Shape); 4] = [
        ("each behind a row that refers to it", |id| format!("{},{}\n", id + 1, id / 2 + 1)),
        ("each key twice", |id| format!("{},{}\n", id / 2 + 2, id / 4 + 1)),
        ("in circles of two", |id| format!("{},{}\n", id + 1, ((id + 1) ^ 1).max(2))),
        ("one in a hundred refers to nothing", |id| {
            format!("{},{}\n", id + 1, if id % 100 == 0 { 9_000_000 } else { id / 2 + 1 })
        }),
    ];
    for (name, shape) in shapes {
        for on_conflict in [OnConflict::Error, OnConflict::Skip, OnConflict::Update] {
            let options = ImportOptions {
                on_conflict,
                max_rejects: "100%".parse().unwrap(),
                ..ImportOptions::default()
            };
            let [few, many] = [400, 4000].map(|rows| looked_at(shape, options.clone(), rows));
            println!("{name}, {on_conflict:?}: {few} and {many}, {:.1}", many / few);
            assert!(many < 12.0 * few, "{name}, {on_conflict:?}: {few} and {many}");
        }
    }
}
