//! Rows of SQLite that refer to later ones in a long chain, beside rows that exclude each other: what may be there is there,
//! however far behind it the last row stands that refers to it.

use std::collections::HashSet;

use statemachine::{Findings, ImportOptions, OnConflict};

use super::world::World;

const CONFLICTS: [OnConflict; 3] = [OnConflict::Error, OnConflict::Skip, OnConflict::Update];

fn options(on_conflict: OnConflict) -> ImportOptions {
    ImportOptions { on_conflict, max_rejects: "100%".parse().unwrap(), ..ImportOptions::default() }
}

fn told(findings: &Findings) -> Vec<(u64, &str)> {
    findings.first_rejects.iter().map(|reject| (reject.line, reject.reason.as_str())).collect()
}

/// Rows of which each but the last of a chain refers to the next one. `clashes` are those that have the value of a later row.
fn file(chains: u32, length: u32, clashes: &[(u32, u32)], is_mixed: bool) -> String {
    let row = |id: u32| {
        let next = if id.is_multiple_of(length) { String::new() } else { (id + 1).to_string() };
        let of = clashes.iter().find(|(_, later)| *later == id).map_or(id, |(first, _)| *first);
        format!("{id},{next},u{of}\n")
    };
    let mut ids: Vec<_> = (1..=chains * length).collect();
    if is_mixed {
        ids.sort_by_key(|id| u64::from(*id).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 20);
    }
    format!("id,p,u\n{}", ids.into_iter().map(row).collect::<String>())
}

#[test]
fn of_a_long_chain_only_the_row_is_rejected_that_has_the_value_of_a_later_one() {
    let later = "DEFERRABLE INITIALLY DEFERRED";
    for ddl in [
        "CREATE TABLE chain (id INT PRIMARY KEY, p INT REFERENCES chain, u TEXT UNIQUE)".to_owned(),
        format!("CREATE TABLE chain (id INT PRIMARY KEY, p INT REFERENCES chain {later}, u TEXT UNIQUE)"),
        "CREATE TABLE chain (id INTEGER PRIMARY KEY, p INT REFERENCES chain, u TEXT); \
         CREATE UNIQUE INDEX lower ON chain (lower(u))"
            .to_owned(),
    ] {
        let world = World::sqlite(&ddl);
        let _open = world.database.connect().unwrap();
        for length in [2, 11, 12, 13, 14, 21, 150] {
            for (number, on_conflict) in CONFLICTS.into_iter().enumerate() {
                for is_mixed in [false, true] {
                    let file = file(1, length, &[(1, length)], is_mixed);
                    let id = format!("c{length}-{number}-{is_mixed}");
                    let (result, findings) =
                        world.import_as(&id, file.as_bytes(), "chain", options(on_conflict));
                    let line = file.lines().position(|line| line.starts_with("1,")).unwrap() as u64 + 1;
                    let rows = u64::from(length) - 1;
                    // Where the one that it refers to comes first, there is nothing to wait for.
                    assert_eq!(
                        (result.unwrap().rows, told(&findings)),
                        (rows, vec![(line, "unique")]),
                        "{ddl} {on_conflict:?} {file} {findings:#?}"
                    );
                    assert_eq!(world.lines("SELECT CAST(min(id) AS TEXT) AS line FROM chain"), ["2"]);
                    world.execute("DELETE FROM chain");
                }
            }
        }
    }
}

#[test]
fn of_many_chains_only_the_rows_are_rejected_that_have_the_value_of_later_ones() {
    for (chains, length, clashing) in [(1, 20, 1), (200, 20, 200), (1, 2000, 100), (20, 100, 20)] {
        // The first rows have the values of the last ones.
        let all = chains * length;
        let clashes: Vec<_> = (1..=clashing)
            .map(|number| {
                if chains == 1 {
                    (number, all + 1 - number)
                } else {
                    ((number - 1) * length + 1, number * length)
                }
            })
            .collect();
        let world =
            World::sqlite("CREATE TABLE chain (id INT PRIMARY KEY, p INT REFERENCES chain, u TEXT UNIQUE)");
        for (number, is_mixed) in [false, true].into_iter().enumerate() {
            let file = file(chains, length, &clashes, is_mixed);
            let (result, findings) =
                world.import_as(&format!("c{number}"), file.as_bytes(), "chain", options(OnConflict::Error));
            assert_eq!(result.unwrap().rows, u64::from(all - clashing), "{:?}", findings.reasons);
            assert_eq!(findings.reasons["unique"], u64::from(clashing), "{:?}", findings.reasons);
            world.execute("DELETE FROM chain");
        }
    }
}

/// One after the other would be tried, in a round of its own, if only the one that is in the table were looked at.
#[test]
fn rows_that_exclude_each_other_and_refer_to_nothing_are_found_at_once() {
    for on_conflict in CONFLICTS {
        let world = World::sqlite(
            "CREATE TABLE chain (id INT PRIMARY KEY, p INT REFERENCES chain, u TEXT UNIQUE); INSERT INTO chain VALUES (1, NULL, 'there')",
        );
        let of_value: String = (2..1500).map(|id| format!("{id},-1,same\n")).collect();
        let of_key: String = (0..1500).map(|number| format!("2000,-1,u{number}\n")).collect();
        // Those that the table refuses, or has the key of, are told as such.
        let file = format!("id,p,u\n{of_value}{of_key}3000,-1,there\n1,-1,x\n2001,2002,y\n2002,1,z\n");
        let (result, findings) = world.import_as("a", file.as_bytes(), "chain", options(on_conflict));
        let reasons = &findings.reasons;
        let found = (result.unwrap().rows, findings.skipped, reasons["foreign_key"], reasons["unique"]);
        let expected = match on_conflict {
            OnConflict::Error => (2, 0, 2998, 2),
            OnConflict::Skip => (2, 1, 2998, 1),
            OnConflict::Update => (2, 0, 2999, 1),
        };
        assert_eq!(found, expected, "{on_conflict:?} {findings:#?}");
    }
}

/// A row of the chain is out, and whether one of the same key comes in its place is known only once it was tried: for each such key
/// there would be a round, if the rows that refer to it waited for that.
#[test]
fn a_broken_chain_beside_rows_of_the_same_keys_is_found_in_a_few_rounds() {
    for on_conflict in CONFLICTS {
        let world =
            World::sqlite("CREATE TABLE chain (id INT PRIMARY KEY, p INT REFERENCES chain, u INT UNIQUE)");
        let length = 2000;
        let mut rows: Vec<(u64, Option<u64>, u64)> =
            (1..=length).map(|id| (id, (id > 1).then(|| id - 1), id)).collect();
        let random = |number: u64| number.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 20;
        // Each has a key of the chain, and all have a value of it.
        rows.extend((0..length / 2).map(|number| (random(number) % length + 1, None, 5)));
        rows.sort_by_key(|(id, _, value)| random(id * 7 + value));
        let line = |(id, p, u): &(u64, Option<u64>, u64)| {
            format!("{id},{},{u}\n", p.map(|p| p.to_string()).unwrap_or_default())
        };
        let file = format!("id,p,u\n{}", rows.iter().map(line).collect::<String>());
        let (result, findings) = world.import_as("a", file.as_bytes(), "chain", options(on_conflict));
        result.unwrap();

        let there = world.lines("SELECT concat(id, ',', p, ',', u) AS line FROM chain");
        let columns = |at: usize| -> HashSet<u64> {
            there.iter().filter_map(|row| row.split(',').nth(at)?.parse().ok()).collect()
        };
        let (ids, values) = (columns(0), columns(2));
        let mut out: u64 = 0;
        for row in rows.iter().filter(|row| !there.contains(&line(row).trim_end().to_owned())) {
            let (id, p, u) = row;
            let is_free = !ids.contains(id) && !values.contains(u) && p.is_none_or(|p| ids.contains(&p));
            assert!(!is_free, "{on_conflict:?} {row:?}");
            out += 1;
        }
        let counted = findings.reasons.values().sum::<u64>() + findings.duplicates;
        assert_eq!(counted, out, "{on_conflict:?} {findings:#?}");
    }
}
