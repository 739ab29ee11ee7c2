//! What rows cost that only the server can refuse: a file with one bad row in a hundred against the same file without them,
//! into tables that refuse by a domain, by a type's own reading, by triggers, partitions and indexes.

use std::io::{BufWriter, Write as _};

use serde_json::json;

use crate::arguments::Arguments;
use crate::child;
use crate::contest::Contest;
use crate::data::{File, Files};
use crate::postgres::Arena;

/// Of so many rows, one is bad.
const BAD_ONE_IN: u64 = 100;

/// A table that refuses rows.
struct Refusing {
    what: &'static str,
    /// The statements that make the table `loaded`, with the columns `id` and `v`, and what belongs to it.
    ddl: &'static [&'static str],
    /// The value that is refused.
    bad: &'static str,
    /// How many of the bad rows are taken all the same.
    taken: u64,
}

const ALL: [Refusing; 7] = [
    Refusing {
        what: "domain",
        ddl: &[
            "CREATE DOMAIN positive AS int CHECK (VALUE > 0)",
            "CREATE TABLE loaded (id bigint PRIMARY KEY, v positive)",
        ],
        bad: "-1",
        taken: 0,
    },
    Refusing {
        what: "type that only the server reads (inet)",
        ddl: &["CREATE TABLE loaded (id bigint PRIMARY KEY, v inet)"],
        bad: "no address",
        taken: 0,
    },
    Refusing {
        what: "BEFORE trigger",
        ddl: &[
            "CREATE TABLE loaded (id bigint PRIMARY KEY, v int)",
            "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN IF NEW.v < 0 THEN RAISE EXCEPTION ''negative''; END IF; RETURN NEW; END'",
            "CREATE TRIGGER refuse BEFORE INSERT ON loaded FOR EACH ROW EXECUTE FUNCTION refuse()",
        ],
        bad: "-1",
        taken: 0,
    },
    Refusing {
        what: "AFTER trigger",
        ddl: &[
            "CREATE TABLE loaded (id bigint PRIMARY KEY, v int)",
            "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN IF NEW.v < 0 THEN RAISE EXCEPTION ''negative''; END IF; RETURN NULL; END'",
            "CREATE TRIGGER refuse AFTER INSERT ON loaded FOR EACH ROW EXECUTE FUNCTION refuse()",
        ],
        bad: "-1",
        taken: 0,
    },
    Refusing {
        what: "no partition",
        ddl: &[
            "CREATE TABLE loaded (id bigint, v int) PARTITION BY RANGE (v)",
            "CREATE TABLE loaded_0 PARTITION OF loaded FOR VALUES FROM (0) TO (500000000)",
            "CREATE TABLE loaded_1 PARTITION OF loaded FOR VALUES FROM (500000000) TO (MAXVALUE)",
        ],
        bad: "-1",
        taken: 0,
    },
    Refusing {
        what: "expression index",
        ddl: &[
            "CREATE TABLE loaded (id bigint PRIMARY KEY, v int)",
            "CREATE INDEX ON loaded ((1000000 / v))",
        ],
        bad: "0",
        taken: 0,
    },
    Refusing {
        what: "partial unique index",
        ddl: &[
            "CREATE TABLE loaded (id bigint PRIMARY KEY, v int)",
            "CREATE UNIQUE INDEX ON loaded (v) WHERE v < 0",
        ],
        bad: "-1",
        taken: 1,
    },
];

/// Runs every table, and returns what was left out and why.
pub(crate) async fn measure(arguments: &Arguments, files: &Files) -> Vec<String> {
    if !e2e::Backend::DurablePostgres.is_available() || !child::answers("psql", &["--version"]).await {
        return vec!["rejects: PostgreSQL's programs are not installed".to_owned()];
    }
    let mut arena = Arena::open(None).await;
    crate::said::say(&format!(
        "\n**PostgreSQL {}**, {} rows, one in {BAD_ONE_IN} refused by the server alone, `--max-rejects 2%`, against the same file \
         without such rows.\n\n{}",
        arena.version(),
        arguments.rows,
        Contest::head("without rejects")
    ));
    for refusing in ALL.iter().filter(|refusing| refusing.what.contains(&arguments.load)) {
        let contest = contest(&mut arena, refusing, arguments, files).await;
        if let Some(row) = contest.row() {
            crate::said::say(&row);
        }
    }
    arena.stack.stop().await;
    Vec::new()
}

async fn contest(arena: &mut Arena, refusing: &Refusing, arguments: &Arguments, files: &Files) -> Contest {
    let (good, mixed) =
        (file(files, refusing, arguments.rows, false), file(files, refusing, arguments.rows, true));
    let bad = arguments.rows / BAD_ONE_IN - refusing.taken;
    let mut contest = Contest::new(refusing.what);
    for _ in 0..arguments.rounds {
        let mut runs = Vec::new();
        for (file, rejects) in [(&good, 0), (&mixed, bad)] {
            let clear = [
                "DROP TABLE IF EXISTS loaded",
                "DROP DOMAIN IF EXISTS positive",
                "DROP FUNCTION IF EXISTS refuse",
            ];
            clear.iter().chain(refusing.ddl).for_each(|statement| arena.execute(statement));
            let imported = arena.import(file, &json!({"max_rejects": "2%"})).await;
            let (run, report) = imported.expect("an import with few rejects succeeds");
            let expected = (arguments.rows - rejects, rejects);
            assert_eq!((report.rows, report.rejects), expected, "{}: the report is right", refusing.what);
            assert_eq!(
                arena.stack.count("loaded").unsigned_abs(),
                report.rows,
                "{}: the rows are there",
                refusing.what
            );
            runs.push(run);
        }
        contest.add(runs[0], runs[1]);
    }
    contest
}

fn file(files: &Files, refusing: &Refusing, rows: u64, with_bad: bool) -> File {
    let name = refusing.what.split(' ').next().unwrap_or_default();
    let path = files.dir().join(format!("{name}-{}-{rows}-{with_bad}.csv", refusing.taken));
    let write = || -> std::io::Result<()> {
        let mut out = BufWriter::new(std::fs::File::create(&path)?);
        writeln!(out, "id,v")?;
        for number in 0..rows {
            let id = number.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 1;
            if with_bad && number % BAD_ONE_IN == 37 {
                writeln!(out, "{id},{}", refusing.bad)?;
            } else if refusing.bad == "no address" {
                writeln!(out, "{id},10.{}.{}.{}", number >> 16 & 255, number >> 8 & 255, number & 255)?;
            } else {
                writeln!(out, "{id},{}", 1 + number * 7919 % 1_000_000_000)?;
            }
        }
        out.into_inner()?.sync_all()
    };
    if !path.is_file() {
        write().expect("there is room for a file");
    }
    let bytes = path.metadata().expect("the file has been made").len();
    File { path, bytes, good: rows }
}
