//! Keys of PostgreSQL 18 that hold for a time: no two rows of a key at once (WITHOUT OVERLAPS), and a row that is referred to
//! all the time (PERIOD).

use statemachine::{FailureName, Findings, ImportOptions, OnConflict};

use super::world::{World, max_rejects, named};
use crate::unpacked;

const ROOMS: &str = "CREATE TABLE rooms (n int UNIQUE, room int4range, at daterange, PRIMARY KEY (room, at WITHOUT OVERLAPS));
    INSERT INTO rooms VALUES (0, '[1,2)', '[2026-01-01,2026-02-01)')";

const BOOKINGS: &str = "CREATE TABLE bookings (n int UNIQUE, room int4range, at daterange,
      FOREIGN KEY (room, PERIOD at) REFERENCES rooms (room, PERIOD at));
    INSERT INTO rooms VALUES (8, '[1,2)', '[2026-02-01,2026-03-01)')";

fn told(findings: &Findings) -> Vec<(u64, Option<&str>, &str)> {
    let rejects = findings.first_rejects.iter();
    rejects.map(|reject| (reject.line, reject.column.as_deref(), reject.reason.as_str())).collect()
}

/// Whether the words of the rejects have these.
fn say(findings: &Findings, words: &[&str]) -> bool {
    findings.first_rejects.iter().zip(words).all(|(reject, words)| reject.says.contains(words))
}

/// The ways in: without a word on conflicts, and with one, by the key that PostgreSQL takes for it.
fn ways() -> [(&'static str, ImportOptions); 2] {
    let skip = ImportOptions { on_conflict: OnConflict::Skip, key: vec!["n".to_owned()], ..max_rejects(9) };
    [("direct", max_rejects(9)), ("skip", skip)]
}

#[test]
fn rows_that_overlap_or_refer_to_a_time_that_is_not_there_are_rejects() {
    let (cluster, _programs) = unpacked::start("18");
    for (id, options) in ways() {
        let world = World::postgres_at(&cluster.create_database());
        world.execute(ROOMS);
        // The first of two that overlap stays; a row of another room overlaps with none.
        let file = "n,room,at\n1,\"[1,2)\",\"[2026-01-31,2026-02-05)\"\n2,\"[1,2)\",\"[2026-05-01,2026-06-01)\"\n\
                    3,\"[1,2)\",\"[2026-05-31,2026-07-01)\"\n4,\"[2,3)\",\"[2026-01-31,2026-02-05)\"\n5,\"[2,3)\",empty\n";
        let (result, findings) = world.import_as(id, file.as_bytes(), "rooms", options.clone());
        assert_eq!(result.unwrap().rows, 2, "{id}: {findings:?}");
        assert_eq!(told(&findings), [(2, None, "exclusion"), (4, None, "exclusion"), (6, None, "check")]);
        let words = [
            "conflicts with existing key (room, at)=([1,2), [2026-01-01,2026-02-01))",
            "conflicts with existing key (room, at)=([1,2), [2026-05-01,2026-06-01))",
            "empty WITHOUT OVERLAPS value found in column \"at\"",
        ];
        assert!(say(&findings, &words), "{id}: {findings:#?}");
        assert_eq!(world.lines("SELECT n::text AS line FROM rooms ORDER BY n"), ["0", "2", "4"], "{id}");
        world.execute(BOOKINGS);
        let file = "n,room,at\n1,\"[1,2)\",\"[2026-01-10,2026-02-10)\"\n2,\"[1,2)\",\"[2026-02-10,2026-03-02)\"\n\
                    3,\"[3,4)\",\"[2026-01-10,2026-01-11)\"\n4,,\"[2026-01-10,2026-01-11)\"\n5,\"[2,3)\",\"[2026-01-31,2026-02-05)\"\n";
        let (result, findings) = world.import_as(&format!("{id}-b"), file.as_bytes(), "bookings", options);
        assert_eq!(result.unwrap().rows, 3, "{id}: {findings:?}");
        assert_eq!(told(&findings), [(3, None, "foreign_key"), (4, None, "foreign_key")], "{id}");
        let words = [
            "Key (room, at)=([1,2), [2026-02-10,2026-03-02)) is not present in table \"rooms\"",
            "Key (room, at)=([3,4), [2026-01-10,2026-01-11)) is not present in table \"rooms\"",
        ];
        assert!(say(&findings, &words), "{id}: {findings:#?}");
    }
    // By the temporal key itself PostgreSQL has no ON CONFLICT.
    let world = World::postgres_at(&cluster.create_database());
    world.execute(ROOMS);
    let options = ImportOptions { on_conflict: OnConflict::Skip, ..max_rejects(0) };
    let (name, cause) = named(world.import(b"n,room,at\n", "rooms", options));
    assert_eq!(name, FailureName::OptionsInvalid, "{cause}");
    assert!(cause.contains("\"rooms_pkey\" does not decide which rows are the same"), "{cause}");
}

/// A row may refer to times of several rows, whether the table has them or a later row of the file.
#[test]
fn a_row_refers_to_times_of_later_rows_beside_one_that_is_refused() {
    let (cluster, _programs) = unpacked::start("18");
    for (id, options) in ways() {
        let world = World::postgres_at(&cluster.create_database());
        world.execute(
            "CREATE TABLE t (n int UNIQUE, id int4range, at daterange, up int4range, PRIMARY KEY (id, at WITHOUT OVERLAPS),
               FOREIGN KEY (up, PERIOD at) REFERENCES t (id, PERIOD at));
             INSERT INTO t VALUES (0, '[2,3)', '[2026-01-01,2026-01-15)', NULL)",
        );
        let file = "n,id,at,up\n1,\"[1,2)\",\"[2026-01-01,2026-02-01)\",\"[2,3)\"\n2,\"[1,2)\",\"[2026-01-31,2026-02-01)\",\n\
                    3,\"[2,3)\",\"[2026-01-15,2026-03-01)\",\n4,\"[4,5)\",\"[2026-01-01,2026-01-02)\",\"[5,6)\"\n\
                    5,\"[5,6)\",\"[2026-01-01,2026-01-02)\",\"[4,5)\"\n6,\"[6,7)\",\"[2026-02-01,2026-03-02)\",\"[2,3)\"\n";
        let (result, findings) = world.import_as(id, file.as_bytes(), "t", options);
        let lines: Vec<_> = findings.first_rejects.iter().map(|reject| reject.line).collect();
        assert_eq!((result.unwrap().rows, lines), (4, vec![2, 7]), "{id}: {findings:#?}");
    }
}
