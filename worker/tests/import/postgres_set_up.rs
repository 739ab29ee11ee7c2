//! A fault of the database's set-up fails the import at once, by name and with what to do, however many rejects it allows: it is
//! no row's.

use statemachine::{FailureName, ImportOptions, OnConflict, RejectLimit};

use super::world::{World, named};

/// Every row may be rejected.
fn all_rejects() -> ImportOptions {
    ImportOptions { max_rejects: "100%".parse::<RejectLimit>().unwrap(), ..ImportOptions::default() }
}

fn upsert(on_conflict: OnConflict) -> ImportOptions {
    ImportOptions { on_conflict, ..all_rejects() }
}

/// The cause of an import's failure, which is the set-up's, and names no row.
fn set_up_failure(world: &World, id: &str, file: &[u8], table: &str, options: ImportOptions) -> String {
    let (result, findings) = world.import_as(id, file, table, options);
    let (name, cause) = named(result);
    assert_eq!(name, FailureName::DatabaseMisconfigured, "{cause}");
    assert!(findings.first_rejects.is_empty() && !cause.contains("line 2"), "{cause}: {findings:?}");
    cause
}

/// The statements that a cause advises, which its owner then follows.
fn follow(world: &World, cause: &str) {
    let grants: Vec<_> = cause.split('\n').filter(|line| line.starts_with("GRANT ")).collect();
    assert!(!grants.is_empty(), "{cause}");
    world.execute(&grants.join("\n"));
}

#[test]
fn a_missing_permission_is_told_with_the_grant_that_mends_it() {
    let world = World::of_role(
        "CREATE TABLE t (id serial PRIMARY KEY, name text); GRANT INSERT ON t TO {role};
         CREATE TABLE \"Other T\" (a int PRIMARY KEY, \"B\" text); GRANT INSERT (a) ON \"Other T\" TO {role};
         CREATE TABLE locked (a int); CREATE SCHEMA far; CREATE TABLE far.t (a int); GRANT INSERT ON far.t TO {role};
         CREATE FUNCTION secret() RETURNS int LANGUAGE sql AS 'SELECT 7'; REVOKE EXECUTE ON FUNCTION secret FROM PUBLIC;
         CREATE TABLE computed (a int, b int DEFAULT secret()); GRANT INSERT ON computed TO {role};
         CREATE FUNCTION bound(int) RETURNS int LANGUAGE sql AS 'SELECT 7'; REVOKE EXECUTE ON FUNCTION bound FROM PUBLIC;
         CREATE TABLE checked (a int CHECK (a < bound(a))); GRANT INSERT ON checked TO {role}",
    );
    let cases: [(&[u8], &str, &str); 6] = [
        (b"name\na\n", "t", "GRANT USAGE ON SEQUENCE public.t_id_seq TO "),
        (b"a,b\n1,x\n", "Other T", "GRANT INSERT (\"B\") ON TABLE public.\"Other T\" TO "),
        (b"a\n1\n", "locked", "GRANT INSERT ON TABLE public.locked TO "),
        (b"a\n1\n", "far.t", "GRANT USAGE ON SCHEMA far TO "),
        (b"a\n1\n", "computed", "GRANT EXECUTE ON FUNCTION public.secret() TO "),
        (b"a\n1\n", "checked", "GRANT EXECUTE ON FUNCTION public.bound(integer) TO "),
    ];
    for (number, (file, table, grant)) in cases.into_iter().enumerate() {
        let cause = set_up_failure(&world, &format!("f{number}"), file, table, all_rejects());
        assert!(cause.contains(grant), "{cause}");
        follow(&world, &cause);
        let (result, _) = world.import_as(&format!("g{number}"), file, table, all_rejects());
        assert_eq!(result.unwrap().rows, 1, "{table}");
    }
}

#[test]
fn a_table_of_somebody_else_is_told_before_any_grant_where_its_indexes_are_to_be_built_again() {
    let world = World::of_role("CREATE TABLE t (id serial PRIMARY KEY, v text); GRANT INSERT ON t TO {role}");
    let options = ImportOptions { rebuild_indexes: true, ..ImportOptions::default() };
    let (name, cause) = named(world.import_as("a", b"v\nx\n", "t", options).0);
    assert_eq!(name, FailureName::OptionsInvalid);
    assert!(cause.contains("database user does not own it") && !cause.contains("GRANT"), "{cause}");
}

#[test]
fn an_upsert_that_may_not_look_or_change_says_what_it_needs() {
    let ddl = "CREATE TABLE t (id int PRIMARY KEY, name text); INSERT INTO t VALUES (1, 'old'); GRANT INSERT ON t TO {role}";
    for (on_conflict, rights) in
        [(OnConflict::Update, ["SELECT", "UPDATE"]), (OnConflict::Skip, ["SELECT", "SELECT"])]
    {
        let world = World::of_role(ddl);
        let file = b"id,name\n1,new\n2,new\n";
        let cause = set_up_failure(&world, "f", file, "t", upsert(on_conflict));
        for right in rights {
            assert!(cause.contains(&format!("GRANT {right} ON TABLE public.t TO ")), "{cause}");
        }
        follow(&world, &cause);
        let (result, findings) = world.import_as("g", file, "t", upsert(on_conflict));
        let rows = result.unwrap().rows;
        assert_eq!(rows + findings.skipped, 2);
    }
}

#[test]
fn an_upsert_needs_no_more_than_its_columns() {
    let world = World::of_role(
        "CREATE TABLE t (id int PRIMARY KEY, name text, note text); INSERT INTO t VALUES (1, 'old');
         GRANT INSERT (id, name), SELECT (note), UPDATE (note) ON t TO {role}",
    );
    let file = b"id,name\n1,new\n2,two\n2,last\n";
    let cause = set_up_failure(&world, "f", file, "t", upsert(OnConflict::Update));
    assert!(
        cause.contains("GRANT SELECT (id, name) ON TABLE") && cause.contains("GRANT UPDATE (name) ON"),
        "{cause}"
    );
    follow(&world, &cause);
    let (result, findings) = world.import_as("g", file, "t", upsert(OnConflict::Update));
    assert_eq!((result.unwrap().rows, findings.updated, findings.duplicates), (2, 1, 1));
    assert_eq!(world.lines("SELECT name AS line FROM t ORDER BY id"), ["new", "last"]);
}

#[test]
fn without_the_right_to_temporary_tables_no_row_is_blamed() {
    let world = World::of_role(
        "CREATE TABLE t (id int PRIMARY KEY, host inet); GRANT INSERT, SELECT, UPDATE ON t TO {role};
         DO $$ BEGIN EXECUTE format('REVOKE TEMPORARY ON DATABASE %I FROM PUBLIC', current_database()); END $$",
    );
    let cause = set_up_failure(&world, "a", b"id,host\n1,\n", "t", upsert(OnConflict::Update));
    assert!(cause.contains("GRANT TEMPORARY ON DATABASE test_"), "{cause}");
    for (id, file) in [("b", &b"id,host\n1,\n1,\n"[..]), ("c", b"id,host\n1,nowhere\n")] {
        let again = set_up_failure(&world, id, file, "t", all_rejects());
        assert!(again.contains("GRANT TEMPORARY ON DATABASE test_"), "{again}");
    }
    // Where no row is refused, none is needed.
    assert_eq!(world.import_as("d", b"id,host\n1,\n", "t", all_rejects()).0.unwrap().rows, 1);
    follow(&world, &cause);
    let (result, findings) = world.import_as("e", b"id,host\n1,\n2,\n3,nowhere\n", "t", all_rejects());
    assert_eq!((result.unwrap().rows, findings.first_rejects.len()), (1, 2));
}

#[test]
fn what_rows_run_into_that_is_missing_blames_none_of_them() {
    let world = World::of_role(
        "CREATE TABLE ruled (a int, host inet); ALTER TABLE ruled ENABLE ROW LEVEL SECURITY;
         CREATE POLICY p ON ruled USING (a = current_setting('app.tenant')::int); GRANT SELECT, INSERT ON ruled TO {role};
         CREATE TABLE logged (a int, host inet); GRANT INSERT ON logged TO {role}; CREATE TABLE log (a int);
         CREATE FUNCTION log() RETURNS trigger LANGUAGE plpgsql AS
         $$ BEGIN INSERT INTO log VALUES (NEW.a); RETURN NEW; END $$;
         CREATE TRIGGER log AFTER INSERT ON logged FOR EACH ROW EXECUTE FUNCTION log();
         CREATE TABLE audited (a int); GRANT INSERT ON audited TO {role}; CREATE TABLE audit (a int);
         CREATE FUNCTION audit() RETURNS trigger LANGUAGE plpgsql AS
         $$ BEGIN INSERT INTO audit VALUES (NEW.a); RETURN NEW; END $$;
         CREATE TRIGGER audit BEFORE INSERT ON audited FOR EACH ROW EXECUTE FUNCTION audit(); DROP TABLE log",
    );
    let cause = set_up_failure(&world, "a", b"a\n1\n", "ruled", all_rejects());
    assert!(cause.contains("unrecognized configuration parameter"), "{cause}");
    assert!(cause.contains("ALTER ROLE "), "{cause}");
    let cause = set_up_failure(&world, "b", b"a,host\n1,\n2,nowhere\n", "logged", all_rejects());
    assert!(cause.contains("relation \"log\" does not exist"), "{cause}");
    let cause = set_up_failure(&world, "c", b"a\n1\n", "audited", all_rejects());
    assert!(cause.contains("permission denied for table audit"), "{cause}");
}

/// A trigger that changes the session, once for each row.
fn changing(statements: &str, rest: &str) -> String {
    format!(
        "CREATE TABLE t (id int PRIMARY KEY, name text); CREATE SCHEMA sp;
         CREATE FUNCTION change() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {statements} RETURN NEW; END $$;
         CREATE TRIGGER change BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION change(); {rest}"
    )
}

#[test]
fn what_a_trigger_sets_for_the_session_reaches_no_statement_of_the_import() {
    let nobody = "CREATE ROLE baton_nobody NOLOGIN; GRANT INSERT ON t TO baton_nobody; ";
    // A limit that ended a statement in time would depend on how busy the machine is.
    let limits = "CREATE FUNCTION look() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
           IF '1h' IN (current_setting('lock_timeout'), current_setting('statement_timeout')) THEN
             RAISE 'the limits of the trigger hold'; END IF;
           RETURN NEW; END $$;
         CREATE TRIGGER look BEFORE UPDATE ON \"baton_jobs\" FOR EACH ROW EXECUTE FUNCTION look()";
    let cases = [
        ("PERFORM set_config('search_path', 'sp', false);", ""),
        // A function of another schema that is found before the server's own.
        (
            "PERFORM pg_catalog.set_config('search_path', 'sp, pg_catalog', false);",
            "CREATE FUNCTION sp.set_config(text, text, boolean) RETURNS text LANGUAGE sql AS 'SELECT $1 WHERE 1 / 0 = 1'",
        ),
        ("SET ROLE baton_nobody;", nobody),
        ("SET SESSION AUTHORIZATION baton_nobody;", nobody),
        ("SET TRANSACTION READ ONLY;", ""),
        ("SET lock_timeout = '1h'; SET statement_timeout = '1h';", limits),
        ("SET session_replication_role = replica; SET row_security = off;", ""),
        ("SET client_encoding = 'SJIS'; SET standard_conforming_strings = off;", ""),
    ];
    let options: [(&str, ImportOptions); 5] = [
        ("error", all_rejects()),
        ("skip", upsert(OnConflict::Skip)),
        ("update", upsert(OnConflict::Update)),
        ("dry", ImportOptions { dry_run: true, ..all_rejects() }),
        ("rebuild", ImportOptions { rebuild_indexes: true, ..all_rejects() }),
    ];
    for (statements, rest) in cases {
        let world = World::postgres(&changing(statements, ""));
        // A role belongs to the cluster: another test may have made it.
        let rest = rest.replace(
            "CREATE ROLE baton_nobody NOLOGIN;",
            "DO $$ BEGIN CREATE ROLE baton_nobody NOLOGIN; EXCEPTION WHEN OTHERS THEN NULL; END $$;",
        );
        world.execute(if rest.is_empty() { "SELECT 1" } else { &rest });
        // The second file has rows tried one by one.
        for (id, options) in &options {
            for (number, file) in
                [&b"id,name\n1,a\n2,b\n"[..], b"id,name\n1,a\n2,b\n2,c\n"].into_iter().enumerate()
            {
                let id = format!("{id}-{number}");
                let (result, findings) = world.import_as(&id, file, "t", options.clone());
                let rows = result.unwrap_or_else(|failure| panic!("{statements} {id}: {failure}")).rows;
                assert_eq!(rows, 2, "{statements} {id}: {findings:?}");
                world.execute("TRUNCATE t");
                let ended = "SELECT status || ' ' || (SELECT ended_as FROM \"baton_attempts\" WHERE job_id = id) AS line FROM \"baton_jobs\"";
                assert_eq!(world.lines(&format!("{ended} WHERE id = '{id}'")), ["SUCCESS SUCCESS"]);
            }
        }
    }
}

#[test]
fn the_rows_of_a_later_batch_are_read_as_those_of_the_first() {
    let world = World::postgres(
        "CREATE TABLE t (id int, at timestamptz[], cost money, pad text);
         CREATE FUNCTION change() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
           SET TIME ZONE 'Asia/Tokyo'; SET DateStyle = 'SQL, DMY'; SET client_encoding = 'LATIN1'; RETURN NEW; END $$;
         CREATE TRIGGER change AFTER INSERT ON t FOR EACH ROW EXECUTE FUNCTION change()",
    );
    let pad = "é".repeat(500_000);
    let mut file = "id,at,cost,pad\n".to_owned();
    (0..40).for_each(|id| file.push_str(&format!("{id},{{2024-02-03 04:05}},1.50,{pad}\n")));
    let (result, _) = world.import_as("a", file.as_bytes(), "t", all_rejects());
    assert_eq!(result.unwrap().rows, 40);
    let seen = "SELECT DISTINCT extract(epoch FROM at[1])::int8 || ' ' || length(pad) AS line FROM t";
    assert_eq!(world.lines(seen), ["1706933100 500000"]);
}

#[test]
fn a_constraint_that_a_trigger_defers_is_still_told_of_its_rows() {
    let world = World::postgres(
        "CREATE TABLE parent (id int PRIMARY KEY); INSERT INTO parent VALUES (1);
         CREATE TABLE t (id int PRIMARY KEY, parent int REFERENCES parent DEFERRABLE);
         CREATE FUNCTION change() RETURNS trigger LANGUAGE plpgsql AS
           $$ BEGIN SET CONSTRAINTS ALL DEFERRED; RETURN NEW; END $$;
         CREATE TRIGGER change BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION change()",
    );
    let (result, findings) = world.import_as("a", b"id,parent\n1,1\n2,9\n3,1\n", "t", all_rejects());
    assert_eq!(result.unwrap().rows, 2, "{findings:?}");
    assert_eq!((findings.first_rejects.len(), findings.first_rejects[0].line), (1, 3), "{findings:?}");
}

#[test]
fn tables_of_batons_own_that_are_gone_within_an_import_are_no_outage() {
    let world = World::postgres(&changing("ALTER TABLE \"baton_jobs\" RENAME TO jobs_of_old;", ""));
    let cause = set_up_failure(&world, "a", b"id,name\n1,a\n", "t", all_rejects());
    assert!(
        cause.contains("relation \"baton_ledger.jobs\" does not exist; the job was claimed in"),
        "{cause}"
    );
    assert_eq!(world.count("t"), 0);
}
