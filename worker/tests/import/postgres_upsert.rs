//! An upsert on PostgreSQL against its meaning: the rows applied one after the other, in the file's order, each by a statement
//! of its own. Tables that refuse, change and leave out rows in every way come out as they would so, and the counts add up.

use diesel::connection::SimpleConnection as _;
use diesel::sql_types::BigInt;
use diesel::{QueryableByName, RunQueryDsl as _, sql_query};
use statemachine::{Findings, ImportOptions, OnConflict};
use worker::db::{Connection, Session};

use super::world::World;

/// A table `{t}`, what is in it, and the values that rows of the file are made of.
struct Case {
    ddl: &'static str,
    columns: &'static str,
    key: &'static str,
    values: &'static [&'static [&'static str]],
}

const CASES: [Case; 15] = [
    Case {
        ddl: "CREATE TABLE {t} (k int PRIMARY KEY, v text, n int); INSERT INTO {t} VALUES (1, 'old', 1), (3, 'old', 3)",
        columns: "k,v,n",
        key: "k",
        values: &[&["1", "2", "3", "4", "5"], &["a", "b", "c"], &["1", "2", "3", ""]],
    },
    Case {
        ddl: "CREATE TABLE {t} (k int PRIMARY KEY, v text CHECK (v <> 'bad'), n int); INSERT INTO {t} VALUES (1, 'old', 1)",
        columns: "v,k",
        key: "k",
        values: &[&["a", "b", "bad"], &["1", "2", "3", "4", "5"]],
    },
    Case {
        ddl: "CREATE TABLE {t} (k int PRIMARY KEY, v text UNIQUE, n int); INSERT INTO {t} VALUES (1, 'a', 1), (9, 'b', 1)",
        columns: "k,v,n",
        key: "k",
        values: &[&["1", "2", "3", "4"], &["a", "b", "c", "d", "e", ""], &["1", "2", "3"]],
    },
    Case {
        ddl: "CREATE TABLE {t} (k int PRIMARY KEY, v text, n int); INSERT INTO {t} VALUES (1, 'OLD', 1), (2, 'OLD', 1);
              CREATE FUNCTION f_{t}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.v = 'drop' THEN RETURN NULL; END IF;
                IF NEW.v = 'bad' THEN RAISE EXCEPTION 'bad'; END IF; NEW.v := upper(NEW.v); RETURN NEW; END $$;
              CREATE TRIGGER f BEFORE INSERT ON {t} FOR EACH ROW EXECUTE FUNCTION f_{t}()",
        columns: "k,v",
        key: "k",
        values: &[&["1", "2", "3", "4", "5", "6"], &["a", "b", "bad", "drop"]],
    },
    Case {
        ddl: "CREATE TABLE {t} (k int PRIMARY KEY, v text, n int); INSERT INTO {t} VALUES (1, 'old', 1), (2, 'old', 1);
              CREATE FUNCTION f_{t}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.v = 'bad' THEN
                RAISE EXCEPTION 'bad'; END IF; RETURN NEW; END $$;
              CREATE TRIGGER f AFTER INSERT OR UPDATE ON {t} FOR EACH ROW EXECUTE FUNCTION f_{t}()",
        columns: "k,v",
        key: "k",
        values: &[&["1", "2", "3", "4", "5", "6"], &["a", "b", "bad"]],
    },
    // A queue: what comes is written down elsewhere, most of it at once.
    Case {
        ddl: "CREATE TABLE {t} (k int PRIMARY KEY, v text, n int); INSERT INTO {t} VALUES (1, 'old', 1), (2, 'old', 1);
              CREATE TABLE arch_{t} (k int, v text);
              CREATE FUNCTION f_{t}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO arch_{t} VALUES (NEW.k, NEW.v);
                IF NEW.v <> 'stay' THEN DELETE FROM {t} WHERE k = NEW.k; END IF; RETURN NULL; END $$;
              CREATE TRIGGER f AFTER INSERT OR UPDATE ON {t} FOR EACH ROW EXECUTE FUNCTION f_{t}()",
        columns: "k,v",
        key: "k",
        values: &[&["1", "2", "3", "4", "5"], &["a", "b", "stay"]],
    },
    Case {
        ddl: "CREATE EXTENSION IF NOT EXISTS citext SCHEMA ex;
              CREATE TABLE {t} (k ex.citext PRIMARY KEY, v text CHECK (v <> 'bad')); INSERT INTO {t} VALUES ('Ann', 'old')",
        columns: "k,v",
        key: "k",
        values: &[&["ann", "ANN", "Bob", "bob", "eve"], &["a", "b", "bad"]],
    },
    Case {
        ddl: "CREATE COLLATION IF NOT EXISTS ex.ci (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
              CREATE TABLE {t} (k text COLLATE ex.ci PRIMARY KEY, v text); INSERT INTO {t} VALUES ('Ann', 'old')",
        columns: "k,v",
        key: "k",
        values: &[&["ann", "ANN", "Bob", "bob", "eve"], &["a", "b", "c"]],
    },
    Case {
        ddl: "CREATE TABLE {t} (k int PRIMARY KEY, v text CHECK (v <> 'bad')) PARTITION BY RANGE (k);
              CREATE TABLE {t}_1 PARTITION OF {t} FOR VALUES FROM (0) TO (3);
              CREATE TABLE {t}_2 PARTITION OF {t} FOR VALUES FROM (3) TO (6); INSERT INTO {t} VALUES (1, 'old'), (4, 'old')",
        columns: "k,v",
        key: "k",
        values: &[&["1", "2", "3", "4", "5", "6"], &["a", "b", "bad"]],
    },
    Case {
        ddl: "CREATE TABLE {t} (a int, b int, v text CHECK (v <> 'bad'), UNIQUE NULLS NOT DISTINCT (a, b));
              INSERT INTO {t} VALUES (1, NULL, 'old'), (2, 2, 'old')",
        columns: "a,b,v",
        key: "b,a",
        values: &[&["1", "2", ""], &["1", "2", ""], &["a", "b", "bad"]],
    },
    Case {
        ddl: "CREATE TABLE {t} (a int, b int, v text, UNIQUE NULLS NOT DISTINCT (a, b));
              INSERT INTO {t} VALUES (1, NULL, 'old'), (2, 2, 'old');
              CREATE FUNCTION f_{t}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.v = 'drop' THEN RETURN NULL; END IF;
                IF NEW.v = 'bad' THEN RAISE EXCEPTION 'bad'; END IF; RETURN NEW; END $$;
              CREATE TRIGGER f BEFORE INSERT ON {t} FOR EACH ROW EXECUTE FUNCTION f_{t}()",
        columns: "a,b,v",
        key: "b,a",
        values: &[&["1", "2", ""], &["1", "2", ""], &["a", "b", "bad", "drop"]],
    },
    Case {
        ddl: "CREATE EXTENSION IF NOT EXISTS citext SCHEMA ex;
              DO $$ BEGIN CREATE DOMAIN ex.word AS ex.citext; EXCEPTION WHEN duplicate_object THEN NULL; END $$;
              CREATE TABLE {t} (k ex.word PRIMARY KEY, v text); INSERT INTO {t} VALUES ('Ann', 'old');
              CREATE FUNCTION f_{t}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.v = 'drop' THEN RETURN NULL; END IF;
                IF NEW.v = 'bad' THEN RAISE EXCEPTION 'bad'; END IF; RETURN NEW; END $$;
              CREATE TRIGGER f BEFORE INSERT ON {t} FOR EACH ROW EXECUTE FUNCTION f_{t}()",
        columns: "v,k",
        key: "k",
        values: &[&["a", "b", "bad", "drop"], &["ann", "ANN", "Bob", "bob", "eve"]],
    },
    Case {
        ddl: "CREATE TABLE {t} (k int PRIMARY KEY, v text) PARTITION BY RANGE (k);
              CREATE TABLE {t}_1 PARTITION OF {t} FOR VALUES FROM (0) TO (3);
              CREATE TABLE {t}_2 PARTITION OF {t} FOR VALUES FROM (3) TO (6); INSERT INTO {t} VALUES (1, 'old'), (4, 'old');
              CREATE FUNCTION f_{t}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.v = 'drop' THEN RETURN NULL; END IF;
                IF NEW.v = 'bad' THEN RAISE EXCEPTION 'bad'; END IF; RETURN NEW; END $$;
              CREATE TRIGGER f BEFORE INSERT ON {t} FOR EACH ROW EXECUTE FUNCTION f_{t}()",
        columns: "k,v",
        key: "k",
        values: &[&["1", "2", "3", "4", "5", "6"], &["a", "b", "bad", "drop"]],
    },
    Case {
        ddl: "CREATE TABLE {t} (a int, b int, v text, n int GENERATED ALWAYS AS (12 / (a + b)) STORED, UNIQUE (a, b));
              INSERT INTO {t} VALUES (1, NULL, 'old'), (2, 2, 'old')",
        columns: "a,b,v",
        key: "a,b",
        values: &[&["1", "2", ""], &["-1", "2", ""], &["a", "b", "c"]],
    },
    Case {
        ddl: "CREATE TABLE IF NOT EXISTS parents (id int PRIMARY KEY); INSERT INTO parents VALUES (1), (2) ON CONFLICT DO NOTHING;
              CREATE TABLE {t} (k numeric PRIMARY KEY, p int REFERENCES parents (id)); INSERT INTO {t} VALUES (1.0, 1), (3, 2)",
        columns: "k,p",
        key: "k",
        values: &[&["1", "1.0", "1.00", "2", "3.0", "4"], &["1", "2", "9", ""]],
    },
];

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

/// What an upsert counts: rows, updated, skipped, duplicates, rejects, dropped.
type Counts = [u64; 6];

/// Rows of a few values for each column, the same for the same seed.
pub(super) fn rows(values: &[&[&'static str]], seed: u64, count: usize) -> Vec<Vec<&'static str>> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) + 1;
    let mut next = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 33) as usize % below
    };
    (0..count).map(|_| values.iter().map(|values| values[next(values.len())]).collect()).collect()
}

/// One row after the other.
fn apply(session: &mut Session, case: &Case, rows: &[Vec<&str>], on_conflict: OnConflict) -> Counts {
    let columns: Vec<_> = case.columns.split(',').collect();
    let key: Vec<_> = case.key.split(',').collect();
    let literal = |value: &&str| if value.is_empty() { "NULL".to_owned() } else { format!("'{value}'") };
    let set: Vec<_> = columns.iter().map(|column| format!("{column} = EXCLUDED.{column}")).collect();
    let action = match on_conflict {
        OnConflict::Update => format!("DO UPDATE SET {}", set.join(", ")),
        _ => "DO NOTHING".to_owned(),
    };
    session
        .batch_execute("BEGIN; DROP TABLE IF EXISTS seen; CREATE TABLE seen AS TABLE o WITH NO DATA")
        .unwrap();
    let [mut written, mut updated, mut skipped, mut duplicates, mut rejects, mut dropped] = [0; 6];
    for row in rows {
        let values: Vec<_> = row.iter().map(literal).collect();
        let is_alike = if case.ddl.contains("NULLS NOT DISTINCT") { "IS NOT DISTINCT FROM" } else { "=" };
        let same: Vec<_> = key
            .iter()
            .map(|name| {
                let value = &values[columns.iter().position(|column| column == name).unwrap()];
                format!("o.{name} {is_alike} (SELECT r.{name} FROM one r) /* {value} */")
            })
            .collect();
        session
            .batch_execute(&format!(
                "DROP TABLE IF EXISTS one; CREATE TEMPORARY TABLE one AS SELECT {0} FROM o WITH NO DATA;
                 INSERT INTO one ({0}) VALUES ({1})",
                case.columns,
                values.join(", ")
            ))
            .unwrap();
        let mut has = |table: &str| {
            let sql = format!("SELECT count(*) AS count FROM {table} o WHERE {}", same.join(" AND "));
            sql_query(sql).get_result::<Count>(session).unwrap().count > 0
        };
        let (known, seen) = (has("o"), has("seen"));
        session.batch_execute("SAVEPOINT one").unwrap();
        let insert = format!(
            "INSERT INTO o ({}) VALUES ({}) ON CONFLICT ({}) {action}",
            case.columns,
            values.join(", "),
            case.key
        );
        match sql_query(insert).execute(session) {
            Err(_) => {
                rejects += 1;
                session.batch_execute("ROLLBACK TO one").unwrap();
            }
            Ok(0) if on_conflict == OnConflict::Update => dropped += 1,
            Ok(0) if seen => duplicates += 1,
            Ok(0) if known => skipped += 1,
            Ok(0) => dropped += 1,
            Ok(_) if seen && known => duplicates += 1,
            Ok(_) => {
                written += 1;
                updated += u64::from(known);
                let seen = format!("INSERT INTO seen ({0}) SELECT {0} FROM one", case.columns);
                session.batch_execute(&seen).unwrap();
            }
        }
        session.batch_execute("RELEASE one").unwrap();
    }
    session.batch_execute("COMMIT").unwrap();
    [written, updated, skipped, duplicates, rejects, dropped]
}

fn content(world: &World, table: &str) -> Vec<String> {
    let mut lines = world.lines(&format!("SELECT r::text AS line FROM {table} r"));
    lines.sort();
    lines
}

fn counts(findings: &Findings, rows: u64, rejects: u64) -> Counts {
    [rows, findings.updated, findings.skipped, findings.duplicates, rejects, findings.dropped]
}

#[test]
fn an_upsert_is_its_rows_one_after_the_other() {
    for (number, case) in CASES.iter().enumerate() {
        let world = World::postgres("CREATE SCHEMA ex");
        world.execute(&case.ddl.replace("{t}", "t"));
        world.execute(&case.ddl.replace("{t}", "o"));
        world.execute("CREATE TABLE before AS TABLE t");
        let Connection::Postgres(mut session) = world.database.connect().unwrap() else {
            panic!("no PostgreSQL")
        };
        // The comparison of an extension's type lies in its schema.
        session.batch_execute("SET search_path = public, ex").unwrap();
        for (seed, on_conflict) in
            (0..6).flat_map(|seed| [(seed, OnConflict::Update), (seed, OnConflict::Skip)])
        {
            let columns = case.columns;
            world.execute(&format!(
                "DELETE FROM t; DELETE FROM o; INSERT INTO t ({columns}) SELECT {columns} FROM before;
                 INSERT INTO o ({columns}) SELECT {columns} FROM before"
            ));
            let rows = rows(case.values, seed, 4 + 9 * seed as usize);
            let lines: String = rows.iter().map(|row| row.join(",") + "\n").collect();
            let options = ImportOptions {
                on_conflict,
                key: case.key.split(',').map(str::to_owned).collect(),
                max_rejects: "100%".parse().unwrap(),
                ..ImportOptions::default()
            };
            let expected = apply(&mut session, case, &rows, on_conflict);
            let id = format!("{seed}{on_conflict:?}");
            let (result, findings) =
                world.import_as(&id, format!("{columns}\n{lines}").as_bytes(), "t", options);
            let what = format!("case {number}, seed {seed}, {on_conflict:?}:\n{lines}{findings:#?}");
            let summary = result.unwrap();
            assert_eq!(content(&world, "t"), content(&world, "o"), "{what}");
            assert_eq!(counts(&findings, summary.rows, summary.rejects), expected, "{what}");
            let told =
                findings.skipped + findings.duplicates + findings.dropped + summary.rows + summary.rejects;
            assert_eq!(told, findings.rows_read, "{what}");
        }
    }
}

#[test]
fn a_key_is_free_again_where_a_trigger_takes_its_row_away() {
    for on_conflict in [OnConflict::Skip, OnConflict::Update] {
        let world = World::postgres(
            "CREATE TABLE queue (k text PRIMARY KEY, v int); CREATE TABLE taken (k text, v int);
             CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO taken VALUES (NEW.k, NEW.v);
               DELETE FROM queue WHERE k = NEW.k; RETURN NULL; END $$;
             CREATE TRIGGER f AFTER INSERT ON queue FOR EACH ROW EXECUTE FUNCTION f()",
        );
        let options = ImportOptions { on_conflict, ..ImportOptions::default() };
        let (result, findings) = world.import_as("q", b"k,v\na,1\na,2\nb,3\na,4\n", "queue", options);
        assert_eq!(counts(&findings, result.unwrap().rows, 0), [4, 0, 0, 0, 0, 0], "{on_conflict:?}");
        assert_eq!(world.lines("SELECT k || v AS line FROM taken ORDER BY v"), ["a1", "a2", "b3", "a4"]);
    }
}

#[test]
fn a_key_that_is_spelled_in_one_way_alone_is_not_set_by_an_update() {
    let types = "CREATE DOMAIN plain AS text; CREATE DOMAIN again AS plain; CREATE DOMAIN numbers AS int[];
                 CREATE TYPE mood AS ENUM ('well', 'ill')";
    let keys = [
        ("plain", "abc"),
        ("again", "abc"),
        ("numbers", "\"{1,2}\""),
        ("text[]", "\"{a,b}\""),
        ("mood[]", "{ill}"),
        ("char(3)", "a"),
        ("name", "abc"),
        ("bit(3)", "101"),
        ("inet", "10.0.0.1"),
        ("int4range", "\"[1,3)\""),
        ("timetz", "12:00:00+09"),
    ];
    for (kind, value) in keys {
        let world = World::postgres(&format!(
            "{types}; CREATE TABLE t (id {kind} PRIMARY KEY, v int);
             CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'the key is set'; END $$;
             CREATE TRIGGER f BEFORE UPDATE OF id ON t FOR EACH ROW EXECUTE FUNCTION f()"
        ));
        let options = ImportOptions { on_conflict: OnConflict::Update, ..ImportOptions::default() };
        for v in 1..=2 {
            let file = format!("id,v\n{value},{v}\n");
            let (result, findings) = world.import_as(&v.to_string(), file.as_bytes(), "t", options.clone());
            assert_eq!(result.unwrap().rows, 1, "{kind}: {findings:?}");
        }
        assert_eq!(world.lines("SELECT v::text AS line FROM t"), ["2"], "{kind}");
    }
}

#[test]
fn keys_that_come_again_are_counted_where_a_trigger_writes_down_each_row() {
    let world = World::postgres(
        "CREATE TABLE t (id int PRIMARY KEY, name text); CREATE TABLE log (id int);
         CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO log VALUES (NEW.id); RETURN NEW; END $$;
         CREATE TRIGGER f BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f()",
    );
    const ROWS: usize = 10_000;
    for (id, keys) in [("apart", ROWS), ("again", ROWS - 1000), ("few", 7)] {
        let rows: String = (0..ROWS).map(|row| format!("{},name {row}\n", row * 7919 % keys)).collect();
        let options = ImportOptions { on_conflict: OnConflict::Update, ..ImportOptions::default() };
        let (result, findings) = world.import_as(id, format!("id,name\n{rows}").as_bytes(), "t", options);
        let rows = result.unwrap().rows;
        assert_eq!((rows, findings.duplicates), (keys as u64, (ROWS - keys) as u64));
        assert_eq!(world.count("log"), ROWS as u64);
        world.execute("TRUNCATE t; TRUNCATE log");
    }
}
