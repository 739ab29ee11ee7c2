//! Rows that only PostgreSQL can refuse, found set by set, against what comes of one row after the other: the same rows are
//! refused, for each index, partition and constraint by which a table can refuse them, and the reasons are true.

use statemachine::Findings;

use super::postgres_upsert::rows;
use super::world::{World, max_rejects};

/// A table `{t}`, what is in it, and the values that rows of the file are made of.
struct Case {
    ddl: &'static str,
    columns: &'static str,
    values: &'static [&'static [&'static str]],
    /// What is to be said of some row.
    says: &'static [&'static str],
}

const CASES: [Case; 8] = [
    Case {
        ddl: "CREATE TABLE {t} (id int, mail text, gone bool); CREATE UNIQUE INDEX ON {t} (mail) WHERE NOT gone;
              INSERT INTO {t} VALUES (0, 'a', false), (0, 'b', true)",
        columns: "id,mail,gone",
        values: &[&["1", "2"], &["a", "b", "c", "d", ""], &["true", "false", ""]],
        says: &["is in the table already", "is also in an earlier row of the file"],
    },
    Case {
        ddl: "CREATE TABLE {t} (id int, mail text); CREATE UNIQUE INDEX ON {t} (lower(mail)); INSERT INTO {t} VALUES (0, 'Ann')",
        columns: "id,mail",
        values: &[&["1", "2"], &["ann", "ANN", "Bob", "bob", "eve", "Joe", "", "zoe"]],
        says: &["has lower(mail) that is in the table already"],
    },
    Case {
        ddl: "CREATE TABLE {t} (tenant int, mail text, n int); INSERT INTO {t} VALUES (1, 'Ann', 4);
              CREATE UNIQUE INDEX ON {t} (tenant, lower(mail), (12 / n)) WHERE tenant > 0",
        columns: "tenant,mail,n",
        values: &[&["0", "1", "2", ""], &["ann", "ANN", "Bob"], &["0", "1", "2", "4", "5"]],
        says: &["division by zero"],
    },
    Case {
        ddl: "CREATE TABLE {t} (id int, at date) PARTITION BY RANGE (at);
              CREATE TABLE {t}_1 PARTITION OF {t} FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');
              CREATE TABLE {t}_2 PARTITION OF {t} FOR VALUES FROM ('2026-03-01') TO (MAXVALUE) PARTITION BY LIST (id);
              CREATE TABLE {t}_2_1 PARTITION OF {t}_2 FOR VALUES IN (1, NULL)",
        columns: "id,at",
        values: &[&["1", "2", ""], &["2026-01-31", "2026-02-01", "2026-03-01", ""]],
        says: &["fits no partition of the table and of its partitions"],
    },
    Case {
        ddl: "CREATE TABLE {t} (id int, name text) PARTITION BY LIST (lower(name));
              CREATE TABLE {t}_1 PARTITION OF {t} FOR VALUES IN ('ann', 'bob'); CREATE UNIQUE INDEX ON {t}_1 (id)",
        columns: "id,name",
        values: &[&["1", "2", "3", "4", "5", "6", "7"], &["Ann", "bob", "eve", ""]],
        says: &["fits no partition of the table, which is partitioned by LIST (lower(name))"],
    },
    Case {
        ddl: "CREATE TABLE {t}_all (id int, name text) PARTITION BY LIST (name);
              CREATE TABLE {t} PARTITION OF {t}_all (CHECK (id > 1)) FOR VALUES IN ('ann', NULL)",
        columns: "id,name",
        values: &[&["1", "2", "3"], &["ann", "eve", ""]],
        says: &["does not fit the bounds of the table, which is a partition: ((name IS NULL) OR (name = 'ann'::text))"],
    },
    Case {
        ddl: "CREATE TABLE {t}_parents (a int, b int, UNIQUE (a, b)); INSERT INTO {t}_parents VALUES (1, 1), (2, 2);
              CREATE TABLE {t} (id int, a int, b int, FOREIGN KEY (a, b) REFERENCES {t}_parents (a, b) MATCH FULL)",
        columns: "id,a,b",
        values: &[&["1", "2"], &["1", "2", ""], &["1", "2", ""]],
        says: &[
            "refers by a, b to a row of public.{t}_parents that is not there",
            "has a value in some of a, b alone, and the foreign key is MATCH FULL",
        ],
    },
    Case {
        ddl: "CREATE TABLE {t} (id int, mail text, low text GENERATED ALWAYS AS (lower(mail)) STORED, state text DEFAULT 'new');
              CREATE UNIQUE INDEX ON {t} (low); CREATE UNIQUE INDEX ON {t} (id) WHERE state = 'new'; INSERT INTO {t} VALUES (1, 'Ann')",
        columns: "id,mail",
        values: &[&["1", "2", "3", "4", "5", "6", "7", ""], &["ann", "Bob", "bob", "eve", ""]],
        says: &[],
    },
];

/// Which rows PostgreSQL refuses where each has a statement of its own, as lines of the file.
fn refused_one_by_one(world: &World, case: &Case, table: &str, rows: &[Vec<&str>]) -> Vec<u64> {
    let literal = |value: &&str| if value.is_empty() { "NULL".to_owned() } else { format!("'{value}'") };
    let insert = |(line, row): (u64, &Vec<&str>)| {
        let values: Vec<_> = row.iter().map(literal).collect();
        format!(
            "BEGIN INSERT INTO {table} ({}) VALUES ({}); EXCEPTION WHEN OTHERS THEN INSERT INTO refused VALUES ({line}); END;",
            case.columns,
            values.join(", ")
        )
    };
    let inserts: String = (2..).zip(rows).map(insert).collect();
    world.execute(&format!("TRUNCATE refused; DO $$ BEGIN {inserts} END $$"));
    let lines = world.lines("SELECT line::text AS line FROM refused ORDER BY refused.line");
    lines.iter().map(|line| line.parse().unwrap()).collect()
}

fn refused(findings: &Findings) -> Vec<u64> {
    findings.first_rejects.iter().map(|reject| reject.line).collect()
}

#[test]
fn what_is_refused_is_what_one_row_after_the_other_would_be() {
    for case in CASES {
        let world = World::postgres("CREATE TABLE refused (line int)");
        let (mut told, mut rejects) = (String::new(), 0);
        for seed in 1..=4 {
            let (table, twin) = (format!("t{seed}"), format!("o{seed}"));
            world.execute(&case.ddl.replace("{t}", &table));
            world.execute(&case.ddl.replace("{t}", &twin));
            let rows = rows(case.values, seed, 60);
            let lines: Vec<_> = rows.iter().map(|row| row.join(",")).collect();
            let file = format!("{}\n{}\n", case.columns, lines.join("\n"));
            let (result, findings) = world.import_as(&table, file.as_bytes(), &table, max_rejects(60));
            let expected = refused_one_by_one(&world, &case, &twin, &rows);
            assert_eq!(refused(&findings), expected, "{}, seed {seed}: {findings:#?}", case.ddl);
            assert_eq!(result.unwrap().rows, 60 - expected.len() as u64);
            let all = |table: &str| world.lines(&format!("SELECT r::text AS line FROM {table} r ORDER BY 1"));
            assert_eq!(all(&table), all(&twin), "{}, seed {seed}", case.ddl);
            rejects += expected.len();
            told.extend(
                findings.first_rejects.iter().map(|reject| reject.says.replace(&table, "{t}") + "\n"),
            );
        }
        assert!(rejects > 0, "{}: nothing is refused", case.ddl);
        for says in case.says {
            assert!(told.contains(says), "{}: {says:?} is not in {told}", case.ddl);
        }
    }
}
