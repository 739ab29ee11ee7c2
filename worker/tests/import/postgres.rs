//! Rows in equals rows out, in PostgreSQL.

use statemachine::{FailureName, ImportOptions};

use super::world::{World, max_rejects, named};

const DDL: &str = "CREATE DOMAIN score AS numeric(5,2) CHECK (VALUE >= 0);
    CREATE TABLE t (id int8 PRIMARY KEY, b bool, i2 int2, i4 int4, f4 real, f8 double precision, d numeric(12,2),
    n numeric, v varchar(10), c char(4), x text, u uuid, day date, at time, ts timestamp, tz timestamptz, j json,
    jb jsonb, raw bytea, s score, place point)";

const COLUMNS: &str = "id,b,i2,i4,f4,f8,d,n,v,c,x,u,day,at,ts,tz,j,jb,raw,s";

const QUERY: &str = "SELECT concat_ws('|', id, b, i2, i4, f4, f8, d, n, v, c, x, u, day, at, ts, tz AT TIME ZONE 'UTC', j, \
    jb, raw, s) AS line FROM t ORDER BY id";

#[test]
fn every_type_comes_back_as_it_was() {
    let world = World::postgres(DDL);
    let file = format!(
        "{COLUMNS}\n\
         1,yes,-7,2147483647,1.5,-1e300,-12345.60,123456789012345678901234567890.000120,\"a,b\",ab,\
         \"two\nlines \"\"東京\"\"\",67E55044-10B1-426F-9247-BB680E5FE0C8,0001-01-01,23:59:59.5,\
         1999-12-31T23:59:59.999999,2024-02-29T12:00:00+09:00,\"{{\"\"b\"\": 1, \"\"a\"\":2}}\",\
         \"{{\"\"b\"\": 1, \"\"a\"\":2}}\",\\x00ff,99.5\n\
         2,,,,,NaN,0.00,-0.0001,,,,,,,,,,,,\n\
         3,,,,-Infinity,,,1e3,,,,,9999-12-31,,,,,,,\n"
    );
    let summary = world.import(file.as_bytes(), "t", ImportOptions::default()).unwrap();
    assert_eq!((summary.rows, summary.rejects, summary.bytes), (3, 0, file.len() as u64));
    assert_eq!(
        world.lines(QUERY),
        [
            "1|t|-7|2147483647|1.5|-1e+300|-12345.60|123456789012345678901234567890.000120|a,b|ab  |\
             two\nlines \"東京\"|67e55044-10b1-426f-9247-bb680e5fe0c8|0001-01-01|23:59:59.5|\
             1999-12-31 23:59:59.999999|2024-02-29 03:00:00|{\"b\": 1, \"a\":2}|{\"a\": 2, \"b\": 1}|\\x00ff|99.50",
            "2|NaN|0.00|-0.0001",
            "3|-Infinity|1000|9999-12-31",
        ]
    );
}

#[test]
fn values_are_held_to_the_types_own_limits_before_the_server_sees_them() {
    let world =
        World::postgres("CREATE TABLE t (i int2, n numeric(4,1), v varchar(3), ts timestamp(0), jb jsonb)");
    let file = "i,n,v,ts,jb\n40000,,,,\n,1000.0,,,\n,0.25,,,\n,,abcd,,\n,,,2024-01-01 00:00:00.5,\n,,,,\"\"\"\\u0000\"\"\"\n\
        1,1.0,abc,2024-01-01 00:00:00,\"{}\"\n";
    let (name, cause) = named(world.import(file.as_bytes(), "t", max_rejects(5)));
    assert_eq!(name, FailureName::TooManyRejects);
    let codes: Vec<_> = cause.lines().skip(1).map(|line| line.rsplit_once('(').unwrap().1).collect();
    let expected =
        ["out_of_range)", "out_of_range)", "too_precise)", "too_long)", "too_precise)", "nul_character)"];
    assert_eq!(codes, expected, "{cause}");
}

#[test]
fn a_table_is_found_along_the_search_path_or_by_its_schema() {
    let world = World::postgres(
        "CREATE SCHEMA sales; CREATE TABLE sales.\"Orders 1\" (\"Id\" int GENERATED ALWAYS AS IDENTITY, \
         \"Note\" text, doubled int GENERATED ALWAYS AS (\"Id\" * 2) STORED)",
    );
    world.import(b"note\na\nb\n", "sales.Orders 1", ImportOptions::default()).unwrap();
    let query = "SELECT concat_ws(' ', \"Id\", \"Note\", doubled) AS line FROM sales.\"Orders 1\" ORDER BY 1";
    assert_eq!(world.lines(query), ["1 a 2", "2 b 4"]);
    let job = world.job("2", "file.csv", "Orders 1", ImportOptions::default());
    let (name, cause) = named(world.run(&job));
    assert_eq!(name, FailureName::TableMissing);
    assert_eq!(cause, "there is no table \"Orders 1\"");
    let job = world.job("3", "file.csv", "sales.orders 1", ImportOptions::default());
    assert!(named(world.run(&job)).1.ends_with("is it \"sales.Orders 1\"?"));
}

#[test]
fn more_than_one_chunk_arrives_whole_and_a_late_error_takes_all_of_it_back() {
    let world = World::postgres("CREATE TABLE t (id int PRIMARY KEY, v text)");
    let text = "x".repeat(1000);
    let rows: String = (1..=10_000).map(|id| format!("{id},{text}\n")).collect();
    let file = format!("id,v\n{rows}1,again\n");
    let (name, cause) = named(world.import(file.as_bytes(), "t", ImportOptions::default()));
    assert_eq!(name, FailureName::TooManyRejects);
    assert!(
        cause.contains("line 10002, column id: \"1\" is also in an earlier row of the file (unique)"),
        "{cause}"
    );
    assert_eq!(world.count("t"), 0);
    world.put("good.csv", format!("id,v\n{rows}").as_bytes());
    let summary = world.run(&world.job("2", "good.csv", "t", ImportOptions::default())).unwrap();
    assert_eq!((summary.rows, world.count("t")), (10_000, 10_000));
    assert_eq!(world.lines("SELECT sum(length(v))::text AS line FROM t"), ["10000000"]);
}
