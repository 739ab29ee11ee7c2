//! A partitioned table whose rows refer to rows of the same table takes what a plain one takes: the plain table is the oracle.
//! It differs only in having partitions, and partitions of them.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, RngSeed, TestCaseError, TestError, TestRunner};
use statemachine::{ImportOptions, OnConflict};

use super::world::{World, max_rejects};

/// Each imports two files.
const CASES: u32 = 60;

/// A row, by its region and number, and the two rows that it refers to.
#[derive(Clone, Debug)]
struct Row {
    key: (char, u8),
    up: Option<(char, u8)>,
    /// By a foreign key that is MATCH FULL: the region may stand alone.
    boss: (Option<char>, Option<u8>),
    value: &'static str,
}

fn row() -> impl Strategy<Value = Row> {
    let region = || prop_oneof![6 => Just('a'), 6 => Just('b'), 1 => Just('z')];
    let value = prop_oneof![7 => Just("x"), 3 => Just("y"), 1 => Just("bad")];
    let boss = prop_oneof![
        5 => Just((None, None)),
        3 => (region(), 1..=4_u8).prop_map(|(region, number)| (Some(region), Some(number))),
        1 => region().prop_map(|region| (Some(region), None)),
    ];
    ((region(), 1..=4_u8), option::weighted(0.6, (region(), 1..=4_u8)), boss, value)
        .prop_map(|(key, up, boss, value)| Row { key, up, boss, value })
}

fn line(row: &Row) -> String {
    let text = |part: Option<String>| part.unwrap_or_default();
    let (up_region, up) =
        (row.up.map(|(region, _)| region.to_string()), row.up.map(|(_, number)| number.to_string()));
    let (boss_region, boss) =
        (row.boss.0.map(|region| region.to_string()), row.boss.1.map(|number| number.to_string()));
    format!(
        "{},{},{},{},{},{},{}\n",
        row.key.0,
        row.key.1,
        text(up_region),
        text(up),
        text(boss_region),
        text(boss),
        row.value
    )
}

fn ddl(table: &str, is_partitioned: bool) -> String {
    let columns = format!(
        "region text, id int, up_region text, up int, boss_region text, boss int, v text CHECK (v <> 'bad'), \
         PRIMARY KEY (region, id), FOREIGN KEY (up_region, up) REFERENCES {table} (region, id), \
         FOREIGN KEY (boss_region, boss) REFERENCES {table} (region, id) MATCH FULL"
    );
    let there = format!("INSERT INTO {table} VALUES ('a', 1, NULL, NULL, NULL, NULL, 'old');");
    match is_partitioned {
        false => format!("CREATE TABLE {table} ({columns}, CHECK (region IN ('a', 'b'))); {there}"),
        true => format!(
            "CREATE TABLE {table} ({columns}) PARTITION BY LIST (region); \
             CREATE TABLE {table}_a PARTITION OF {table} FOR VALUES IN ('a') PARTITION BY RANGE (id); \
             CREATE TABLE {table}_a_1 PARTITION OF {table}_a FOR VALUES FROM (MINVALUE) TO (3); \
             CREATE TABLE {table}_a_2 PARTITION OF {table}_a FOR VALUES FROM (3) TO (MAXVALUE); \
             CREATE TABLE {table}_b PARTITION OF {table} FOR VALUES IN ('b'); {there}"
        ),
    }
}

/// The rows of the table, the lines of the rejects and the counts. Which of two true reasons a reject has, the names of the
/// constraints decide, and partitions have other ones.
type Came = (Vec<String>, Vec<u64>, [u64; 5]);

fn import(world: &World, table: &str, file: &str, on_conflict: OnConflict) -> Result<Came, TestCaseError> {
    let max_rejects = "100%".parse().unwrap();
    let options = ImportOptions { on_conflict, max_rejects, ..ImportOptions::default() };
    let (result, findings) = world.import_as(table, file.as_bytes(), table, options);
    let summary = result.map_err(|failure| TestCaseError::fail(failure.to_string()))?;
    let rows = world.lines(&format!(
        "SELECT concat_ws(',', region, id, up_region, up, boss_region, boss, v) AS line FROM {table} ORDER BY 1"
    ));
    let rejects = findings.first_rejects.iter().map(|reject| reject.line);
    let counts = [summary.rows, findings.updated, findings.skipped, findings.duplicates, findings.dropped];
    Ok((rows, rejects.collect(), counts))
}

#[test]
fn a_partitioned_table_takes_the_rows_that_a_plain_one_takes() {
    let world = World::postgres("SELECT 1");
    let conflicts = select(vec![OnConflict::Error, OnConflict::Skip, OnConflict::Update]);
    let config =
        Config { cases: CASES, failure_persistence: None, rng_seed: RngSeed::Fixed(1), ..Config::default() };
    let number = std::cell::Cell::new(0_u32);
    let outcome = TestRunner::new(config).run(&(vec(row(), 1..12), conflicts), |(rows, on_conflict)| {
        number.set(number.get() + 1);
        let (plain, parted) = (format!("plain{}", number.get()), format!("parted{}", number.get()));
        world.execute(&format!("BEGIN; {} {} COMMIT", ddl(&plain, false), ddl(&parted, true)));
        let header = "region,id,up_region,up,boss_region,boss,v\n";
        let file = format!("{header}{}", rows.iter().map(line).collect::<String>());
        let expected = import(&world, &plain, &file, on_conflict)?;
        let found = import(&world, &parted, &file, on_conflict)?;
        world.execute(&format!("DROP TABLE {plain}, {parted}"));
        prop_assert_eq!(found, expected, "{:?}\n{}", on_conflict, file);
        Ok(())
    });
    match outcome {
        Ok(()) => {}
        Err(TestError::Fail(reason, case)) => panic!("{reason}\n{case:?}"),
        Err(TestError::Abort(reason)) => panic!("{reason}"),
    }
}

/// A circle, a chain and a row before its parent stand beside a repeated key and a bad row.
#[test]
fn rows_of_partitions_refer_to_later_rows_beside_a_bad_one() {
    let plain = "CREATE TABLE t (id int PRIMARY KEY, up int REFERENCES t, v text CHECK (v <> 'bad'))";
    let partitioned = format!(
        "{plain} PARTITION BY RANGE (id); CREATE TABLE t_1 PARTITION OF t FOR VALUES FROM (MINVALUE) TO (5); \
         CREATE TABLE t_2 PARTITION OF t FOR VALUES FROM (5) TO (MAXVALUE)"
    );
    let file = b"id,up,v\n4,5,x\n2,,x\n9,,bad\n2,,again\n6,7,x\n7,8,x\n8,,x\n1,9,x\n5,4,x\n";
    for on_conflict in [OnConflict::Error, OnConflict::Skip, OnConflict::Update] {
        for ddl in [plain, &partitioned] {
            let world = World::postgres(ddl);
            let options = ImportOptions { on_conflict, ..max_rejects(9) };
            let (result, findings) = world.import_as("t", file, "t", options);
            let mut lines: Vec<_> = findings.first_rejects.iter().map(|reject| reject.line).collect();
            lines.retain(|line| *line != 5);
            assert_eq!((result.unwrap().rows, lines), (6, vec![4, 9]), "{ddl} {findings:#?}");
        }
    }
}

/// What one partition alone refuses is nothing to the rows of another, and tells nothing of the foreign key.
#[test]
fn a_check_of_one_partition_blames_its_rows_alone() {
    let world = World::postgres(
        "CREATE TABLE t (id int PRIMARY KEY, up int REFERENCES t, v int) PARTITION BY RANGE (id); \
         CREATE TABLE t_1 PARTITION OF t (CHECK (v < 10)) FOR VALUES FROM (0) TO (5); \
         CREATE TABLE t_2 PARTITION OF t FOR VALUES FROM (5) TO (9);
         CREATE TABLE teams (id int PRIMARY KEY); INSERT INTO teams VALUES (7);
         CREATE TABLE t_3 PARTITION OF t (CHECK (v > 0), FOREIGN KEY (v) REFERENCES teams) FOR VALUES FROM (9) TO (20) \
           PARTITION BY RANGE (id); \
         CREATE TABLE t_3_1 PARTITION OF t_3 FOR VALUES FROM (9) TO (20)",
    );
    let file = b"id,up,v\n1,6,50\n2,6,5\n6,7,50\n7,6,-1\n9,10,7\n10,9,7\n11,9,-7\n12,,8\n";
    let (result, findings) = world.import_as("t", file, "t", max_rejects(3));
    assert_eq!(result.unwrap().rows, 5, "{findings:#?}");
    let told: Vec<_> =
        findings.first_rejects.iter().map(|reject| (reject.line, reject.reason.as_str())).collect();
    assert_eq!(told, [(2, "check"), (8, "check"), (9, "foreign_key")]);
}

#[test]
fn a_key_of_a_partition_that_another_row_refers_to_blames_the_row_that_changes_it() {
    let world = World::postgres(
        "CREATE TABLE t (region int, id int, code text, up text, PRIMARY KEY (region, id), UNIQUE (region, code), \
           FOREIGN KEY (region, up) REFERENCES t (region, code)) PARTITION BY LIST (region); \
         CREATE TABLE t_1 PARTITION OF t FOR VALUES IN (1) PARTITION BY LIST (region); \
         CREATE TABLE t_1_1 PARTITION OF t_1 FOR VALUES IN (1); CREATE TABLE t_2 PARTITION OF t FOR VALUES IN (2); \
         INSERT INTO t VALUES (1, 1, 'a', NULL), (1, 2, 'b', 'a')",
    );
    let options = ImportOptions { on_conflict: OnConflict::Update, ..max_rejects(1) };
    let file = b"region,id,code,up\n1,1,z,\n1,3,c,d\n2,4,e,f\n2,5,f,\n1,4,d,\n";
    let (result, findings) = world.import_as("t", file, "t", options);
    assert_eq!(result.unwrap().rows, 4, "{findings:#?}");
    let reject = &findings.first_rejects[0];
    assert_eq!((reject.line, reject.reason.as_str()), (2, "foreign_key"));
}

/// A partition that is written by itself refers to rows of the whole table, and to its own rows of the same file.
#[test]
fn rows_of_a_file_for_one_partition_refer_to_each_other_and_to_other_partitions() {
    let world = World::postgres(
        "CREATE TABLE t (id int PRIMARY KEY, up int REFERENCES t, v text CHECK (v <> 'bad')) PARTITION BY RANGE (id); \
         CREATE TABLE t_1 PARTITION OF t FOR VALUES FROM (0) TO (5); CREATE TABLE t_2 PARTITION OF t FOR VALUES FROM (5) TO (9); \
         INSERT INTO t VALUES (1, NULL, 'there')",
    );
    let file = b"id,up,v\n5,6,x\n6,5,x\n7,1,x\n8,,bad\n";
    for (id, on_conflict) in [("a", OnConflict::Error), ("b", OnConflict::Update), ("c", OnConflict::Skip)] {
        let options = ImportOptions { on_conflict, ..max_rejects(1) };
        let (result, findings) = world.import_as(id, file, "t_2", options);
        assert_eq!(result.unwrap().rows, 3, "{findings:#?}");
        assert_eq!((findings.first_rejects[0].line, findings.first_rejects.len()), (5, 1));
        world.execute("DELETE FROM t WHERE id > 1");
    }
}
