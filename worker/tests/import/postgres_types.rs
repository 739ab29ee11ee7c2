//! Types that only PostgreSQL can read: what its own COPY stores is stored, and what it refuses is a reject of its row.

use statemachine::{Findings, ImportOptions, OnConflict};

use super::world::{World, max_rejects};

fn told(findings: &Findings) -> Vec<(u64, &str, &str, &str)> {
    findings
        .first_rejects
        .iter()
        .map(|reject| {
            let column = reject.column.as_deref().unwrap_or("-");
            (reject.line, column, reject.value.as_deref().unwrap_or("-"), reject.reason.as_str())
        })
        .collect()
}

#[test]
fn arrays_and_bits_are_neither_cut_nor_padded() {
    let world = World::postgres("CREATE TABLE t (id int PRIMARY KEY, tags varchar(3)[], flags bit(4))");
    let file = b"id,tags,flags\n1,{abcdef},1010\n2,{ab},10\n3,{ab},111111\n4,\"{ab,\"\"cd \"\"}\",1010\n";
    let (result, findings) = world.import_as("t", file, "t", max_rejects(3));
    assert_eq!(result.unwrap().rows, 1);
    assert_eq!(
        told(&findings),
        [
            (2, "tags", "{abcdef}", "too_long"),
            (3, "flags", "10", "refused"),
            (4, "flags", "111111", "refused")
        ]
    );
    assert_eq!(world.lines("SELECT concat_ws('|', id, tags, flags) AS line FROM t"), ["4|{ab,\"cd \"}|1010"]);
}

#[test]
fn a_value_that_reads_like_an_outage_is_one_reject() {
    let world = World::postgres("CREATE TABLE t (id int, host inet)");
    let file = b"id,host\n1,10.0.0.1\n2,connection refused\n3,out of memory\n";
    let (result, findings) = world.import_as("h", file, "t", max_rejects(2));
    assert_eq!(result.unwrap().rows, 1);
    let expected = [(3, "host", "connection refused", "refused"), (4, "host", "out of memory", "refused")];
    assert_eq!(told(&findings), expected);
    let says = "is refused by the database: invalid input syntax for type inet";
    assert_eq!(findings.first_rejects[0].says, says);
}

#[test]
fn a_domain_is_checked_whatever_lies_below_it() {
    let world = World::postgres(
        "CREATE DOMAIN posint AS int CHECK (value > 0); CREATE DOMAIN few AS varchar(2)[] CHECK (cardinality(value) < 3);
         CREATE DOMAIN good AS jsonb CHECK (value ? 'a'); CREATE DOMAIN given AS text CHECK (value IS NOT NULL);
         CREATE TABLE t (id int, n posint, a few, j good, g given DEFAULT 'x')",
    );
    let file = "id,n,j,g\n1,5,\"{\"\"a\"\":1}\",y\n2,0,,y\n3,7,{},y\n4,,,\n5,,,z\n";
    let (result, findings) = world.import_as("d", file.as_bytes(), "t", max_rejects(3));
    assert_eq!(result.unwrap().rows, 2);
    assert_eq!(told(&findings), [(3, "n", "0", "check"), (4, "j", "{}", "check"), (5, "g", "-", "check")]);
    // Beside an array all is text.
    let file = "id,n,a,g\n6,0,\"{a}\",y\n7,1,\"{a,b,c}\",y\n8,1,\"{abc}\",y\n9,1,\"{ab,cd}\",y\n10,1,,\n";
    let (result, findings) = world.import_as("e", file.as_bytes(), "t", max_rejects(4));
    assert_eq!(result.unwrap().rows, 1, "{findings:?}");
    assert_eq!(
        told(&findings),
        [
            (2, "n", "0", "check"),
            (3, "a", "{a,b,c}", "check"),
            (4, "a", "{abc}", "too_long"),
            (6, "g", "-", "check")
        ]
    );
}

#[test]
fn a_type_may_say_of_a_value_whatever_it_likes() {
    let world = World::postgres(
        "CREATE SCHEMA ex; CREATE EXTENSION hstore SCHEMA ex; CREATE EXTENSION ltree SCHEMA ex; CREATE EXTENSION cube SCHEMA ex;
         CREATE TYPE ex.pair AS (a int, b varchar(2));
         CREATE TABLE t (id int, c regclass, r regrole, h ex.hstore, l ex.ltree, k ex.cube, p ex.pair, x xml)",
    );
    let file = "id,c,r,h,l,k,p,x\n1,t,baton,a=>1,a.b,\"(1,2)\",\"(1,ab)\",<a/>\n2,nowhere,,,,,,\n3,,nobody,,,,,\n4,,,a=,,,,\n\
        5,,,,a..b,,,\n6,,,,,\"(1,\",,\n7,,,,,,\"(1,abc)\",\n8,,,,,,\"(x,)\",\n9,,,,,,,<a\n10,,,,,,,\n";
    let (result, findings) = world.import_as("x", file.as_bytes(), "t", max_rejects(8));
    assert_eq!(result.unwrap().rows, 2, "{findings:?}");
    let columns: Vec<_> = told(&findings).into_iter().map(|(line, column, ..)| (line, column)).collect();
    assert_eq!(columns, [(3, "c"), (4, "r"), (5, "h"), (6, "l"), (7, "k"), (8, "p"), (9, "p"), (10, "x")]);
}

#[test]
fn json_that_the_server_refuses_is_one_reject() {
    let world = World::postgres("CREATE TABLE t (id int, j jsonb, k json)");
    let deep = "[".repeat(20_000) + &"]".repeat(20_000);
    let file = format!("id,j,k\n1,{{}},{{}}\n2,1e131072,\n3,{deep},\n4,,{deep}\n5,[],[]\n");
    let (result, findings) = world.import_as("j", file.as_bytes(), "t", max_rejects(3));
    assert_eq!(result.unwrap().rows, 2, "{findings:?}");
    let places: Vec<_> = told(&findings).into_iter().map(|(line, column, ..)| (line, column)).collect();
    assert_eq!(places, [(3, "j"), (4, "j"), (5, "k")]);
    assert_eq!(findings.first_rejects[0].value.as_deref(), Some("1e131072"));
}

#[test]
fn many_bad_values_in_many_batches_are_counted_exactly() {
    let world = World::postgres(
        "CREATE DOMAIN posint AS int CHECK (value > 0); CREATE TABLE t (id int PRIMARY KEY, n posint, host inet)",
    );
    let rows: String = (1..=250_000)
        .map(|id| match id % 100 {
            7 => format!("{id},0,10.0.0.1\n"),
            9 => format!("{id},1,nowhere\n"),
            _ => format!("{id},1,10.0.0.1\n"),
        })
        .collect();
    let options = ImportOptions { max_rejects: "3%".parse().unwrap(), ..ImportOptions::default() };
    let (result, findings) = world.import_as("m", format!("id,n,host\n{rows}").as_bytes(), "t", options);
    let summary = result.unwrap();
    assert_eq!((summary.rows, summary.rejects), (245_000, 5000));
    assert_eq!((findings.reasons["check"], findings.reasons["refused"]), (2500, 2500));
    assert_eq!(world.count("t"), 245_000);
}

/// What is told to be out of range, the server refuses, too.
#[test]
fn a_decimal_number_is_told_the_bound_that_its_type_has() {
    let world = World::postgres("SELECT 1");
    for (id, sql, greatest, bound, says) in [
        ("a", "numeric(3,5)", "0.00999", "0.01", "values above -0.01 and below 0.01"),
        ("b", "numeric(3,3)", "0.999", "1", "values above -1 and below 1"),
        ("c", "numeric(3,2)", "9.99", "10", "1 digit before the point"),
        ("d", "numeric(3,0)", "999", "1000", "3 digits before the point"),
        ("e", "numeric(3,-2)", "99900", "100000", "5 digits before the point"),
        ("f", "numeric(2,-20)", "99e20", "1e22", "22 digits before the point"),
        ("g", "numeric(1,20)", "9e-20", "1e-19", "values above -10^-19 and below 10^-19"),
    ] {
        world.execute(&format!("CREATE TABLE t_{id} (v {sql})"));
        let file = format!("v\n{greatest}\n-{greatest}\n{bound}\n-{bound}\n");
        let (result, findings) = world.import_as(id, file.as_bytes(), &format!("t_{id}"), max_rejects(2));
        assert_eq!(result.unwrap().rows, 2, "{sql}: {findings:?}");
        let negative = format!("-{bound}");
        let expected = [(4, "v", bound, "out_of_range"), (5, "v", negative.as_str(), "out_of_range")];
        assert_eq!(told(&findings), expected, "{sql}");
        let says = format!("is out of range: the column takes {says}");
        assert!(findings.first_rejects.iter().all(|reject| reject.says == says), "{findings:?}");
        world.execute(&format!(
            "DO $$ BEGIN PERFORM '{bound}'::{sql}; RAISE 'taken'; EXCEPTION WHEN numeric_value_out_of_range THEN NULL; END $$"
        ));
    }
}

/// COPY would drop the end of each of them without a word.
#[test]
fn what_a_type_would_cut_is_a_reject_by_every_way() {
    let ddl = "CREATE DOMAIN label AS name; CREATE DOMAIN labels AS name[]; CREATE DOMAIN letter AS \"char\" CHECK (VALUE <> 'z');
        CREATE TABLE t (id int PRIMARY KEY, n name, c \"char\", l label, d letter, ns name[], ls label[], cs \"char\"[], las labels,
          up int REFERENCES t, other int UNIQUE);
        CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.id = 99 THEN RAISE 'no'; END IF; RETURN NEW; END $$";
    let (held, long) = ("n".repeat(63), "n".repeat(64));
    let values = [
        ("n", &held, &long),
        ("c", &"x".to_owned(), &"xy".to_owned()),
        ("l", &held, &long),
        ("d", &"x".to_owned(), &"é".to_owned()),
        ("ns", &format!("{{a,{held}}}"), &format!("{{a,{long}}}")),
        ("ls", &format!("{{\"\"{held}\"\",a}}"), &format!("{{\"\"{long}\"\",a}}")),
        ("cs", &"{x,y}".to_owned(), &"{x,yy}".to_owned()),
        ("las", &format!("{{{held}}}"), &format!("{{{long}}}")),
    ];
    let trigger = "; CREATE TRIGGER f BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f()";
    let conflict = |on_conflict| ImportOptions { on_conflict, ..max_rejects(20) };
    for (way, trigger, options) in [
        ("direct", "; ALTER TABLE t DROP COLUMN up", conflict(OnConflict::Error)),
        ("staged", "", conflict(OnConflict::Error)),
        ("tried", trigger, conflict(OnConflict::Error)),
        ("skip", "", conflict(OnConflict::Skip)),
        ("update", trigger, conflict(OnConflict::Update)),
    ] {
        let world = World::postgres(&format!("{ddl}{trigger}"));
        for (column, held, long) in &values {
            let file = format!("id,{column}\n1,\"{held}\"\n2,\"{long}\"\n99,\n");
            let id = format!("{way}-{column}");
            let (result, findings) = world.import_as(&id, file.as_bytes(), "t", options.clone());
            let is_tried = trigger.contains("TRIGGER");
            assert_eq!(result.unwrap().rows, if is_tried { 1 } else { 2 }, "{id}: {findings:?}");
            let reject = &findings.first_rejects[0];
            let told = (reject.line, reject.column.as_deref(), reject.reason.as_str());
            assert_eq!(told, (3, Some(*column), "too_long"), "{id}");
            assert!(reject.says.contains("bytes, the type"), "{id}: {findings:?}");
            assert!(reject.says.ends_with("holds 63") || reject.says.ends_with("\"char\" holds 1"), "{id}");
            let expected = held.replace("\"\"", "");
            assert_eq!(
                world.lines(&format!("SELECT {column}::text AS line FROM t WHERE id = 1")),
                [expected]
            );
            world.execute("TRUNCATE t");
        }
    }
}
