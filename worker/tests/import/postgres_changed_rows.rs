//! A trigger that changes rows on their way into a table of PostgreSQL, or writes into another one: what is counted and told is
//! true of what was written, not of what the file says.

use diesel::connection::SimpleConnection as _;
use statemachine::{FailureName, Findings, ImportOptions, OnConflict};
use worker::db::Connection;

use super::world::{World, max_rejects, named};

/// A table whose trigger changes the key of every row, with a row of the key 1.
const DDL: &str = "CREATE TABLE t (k int PRIMARY KEY CHECK (k < 9), v text);
     INSERT INTO t VALUES (1, 'old');
     CREATE FUNCTION change() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.k := NEW.k % 10; RETURN NEW; END $$;
     CREATE TRIGGER change BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION change()";

/// Of the eight rows, those with the keys 21 and 32 are the last ones of the keys 1 and 2, 39 and 19 are refused.
const FILE: &str = "k,v\n11,a\n39,b\n2,c\n12,d\n19,e\n32,f\n3,g\n21,h\n";

fn options(on_conflict: OnConflict) -> ImportOptions {
    ImportOptions { on_conflict, ..max_rejects(9) }
}

fn counts(findings: &Findings, rows: u64, rejects: u64) -> [u64; 6] {
    [rows, findings.updated, findings.skipped, findings.duplicates, rejects, findings.dropped]
}

#[test]
fn an_update_counts_the_keys_that_a_trigger_made() {
    let partitions =
        " PARTITION BY RANGE (k); CREATE TABLE t_1 PARTITION OF t FOR VALUES FROM (MINVALUE) TO (MAXVALUE);";
    for ddl in [DDL.to_owned(), DDL.replacen(";", partitions, 1)] {
        let world = World::postgres(&ddl);
        let (result, findings) = world.import_as("u", FILE.as_bytes(), "t", options(OnConflict::Update));
        let summary = result.unwrap();
        assert_eq!(counts(&findings, summary.rows, summary.rejects), [3, 1, 0, 3, 2, 0], "{findings:#?}");
        let there = world.lines("SELECT k || v AS line FROM t ORDER BY k");
        assert_eq!(there, ["1h", "2f", "3g"]);
    }
}

#[test]
fn a_key_that_a_trigger_made_is_told_as_the_database_tells_it() {
    let world = World::postgres(DDL);
    let (name, cause) = named(world.import(FILE.as_bytes(), "t", ImportOptions::default()));
    assert_eq!(name, FailureName::TooManyRejects);
    let told: Vec<_> = cause.lines().skip(1).take(2).collect();
    assert_eq!(
        told,
        [
            "line 2, column k: \"11\" is refused by the database: duplicate key value violates unique constraint \
             \"t_pkey\"; Key (k)=(1) already exists. (unique)",
            "line 3, column k: \"39\" is refused by the database: new row for relation \"t\" violates check constraint \
             \"t_k_check\"; Failing row contains (9, b). (check)",
        ]
    );
}

#[test]
fn a_row_whose_new_key_is_taken_is_left_out_by_its_trigger() {
    let world = World::postgres(DDL);
    let (result, findings) = world.import_as("s", FILE.as_bytes(), "t", options(OnConflict::Skip));
    let summary = result.unwrap();
    assert_eq!(counts(&findings, summary.rows, summary.rejects), [2, 0, 0, 0, 2, 4], "{findings:#?}");
    assert_eq!(world.lines("SELECT k || v AS line FROM t ORDER BY k"), ["1old", "2c", "3g"]);
}

#[test]
fn what_another_table_refuses_is_no_fault_of_a_column() {
    let world = World::postgres(
        "CREATE TABLE audits (ref int CONSTRAINT c UNIQUE, note text NOT NULL CHECK (length(note) < 5));
         CREATE TABLE orders (id int PRIMARY KEY, sku text, note text) PARTITION BY RANGE (id);
         CREATE TABLE orders_1 PARTITION OF orders FOR VALUES FROM (0) TO (100);
         CREATE FUNCTION audit() RETURNS trigger LANGUAGE plpgsql AS
         $$ BEGIN INSERT INTO audits VALUES (NEW.id % 3, NEW.sku); RETURN NEW; END $$;
         CREATE TRIGGER audit AFTER INSERT ON orders FOR EACH ROW EXECUTE FUNCTION audit()",
    );
    let file = b"id,sku,note\n1,a,x\n4,b,y\n2,toolong,z\n3,,n\n1,c,z\n";
    let (result, findings) = world.import_as("o", file, "orders", max_rejects(5));
    assert_eq!(result.unwrap().rows, 1);
    let told: Vec<_> = findings
        .first_rejects
        .iter()
        .map(|reject| (reject.line, reject.column.as_deref(), reject.reason.as_str(), reject.says.as_str()))
        .collect();
    let elsewhere = "is refused by the database, for what a trigger writes into public.audits: ";
    for (told, (line, words)) in told.iter().zip([
        (3, "duplicate key value violates unique constraint \"c\"; Key (ref)=(1) already exists."),
        (4, "new row for relation \"audits\" violates check constraint \"audits_note_check\""),
        (5, "null value in column \"note\" of relation \"audits\" violates not-null constraint"),
    ]) {
        assert_eq!((told.0, told.1, told.2), (line, None, "refused"));
        assert!(told.3.starts_with(&format!("{elsewhere}{words}")), "{told:?}");
    }
    // Of a partition of the table itself.
    assert_eq!((told[3].0, told[3].1, told[3].2), (6, Some("id"), "unique"));
    assert_eq!(told.len(), 4);
}

/// What a session does beside an upsert, which waits for it, and what is counted of the file then.
fn counted_beside(on_conflict: OnConflict, trigger: &str, beside: &str) -> [u64; 6] {
    let world =
        World::postgres("CREATE TABLE t (k int PRIMARY KEY, v text); INSERT INTO t VALUES (5, 'old')");
    world.execute("CREATE FUNCTION look() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$");
    world.execute(&format!("CREATE TRIGGER look {trigger} ON t FOR EACH ROW EXECUTE FUNCTION look()"));
    let mut holder = world.database.connect().unwrap();
    let Connection::Postgres(session) = &mut holder else { panic!("this is PostgreSQL") };
    session.batch_execute(&format!("BEGIN; {beside}")).unwrap();
    let (summary, findings) = std::thread::scope(|scope| {
        let file = b"k,v\n1,a\n2,b\n2,c\n3,d\n5,e\n5,f\n";
        let import = scope.spawn(|| world.import_as("s", file, "t", options(on_conflict)));
        let waits = "SELECT CAST(count(*) AS text) AS line FROM pg_locks WHERE NOT granted";
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(60);
        while world.lines(waits) == ["0"] {
            assert!(
                std::time::Instant::now() < deadline && !import.is_finished(),
                "the upsert does not wait"
            );
            std::thread::yield_now();
        }
        session.batch_execute("COMMIT").unwrap();
        import.join().unwrap()
    });
    let summary = summary.unwrap();
    counts(&findings, summary.rows, summary.rejects)
}

#[test]
fn what_another_writer_does_beside_an_upsert_is_counted_as_what_the_table_had() {
    for trigger in ["BEFORE INSERT", "AFTER INSERT OR UPDATE"] {
        let beside = |on_conflict| {
            ["INSERT INTO t VALUES (2, 'other')", "DELETE FROM t WHERE k = 5"]
                .map(|beside| counted_beside(on_conflict, trigger, beside))
        };
        assert_eq!(beside(OnConflict::Skip), [[2, 0, 4, 0, 0, 0], [4, 0, 0, 2, 0, 0]], "{trigger}");
        assert_eq!(beside(OnConflict::Update), [[4, 2, 0, 2, 0, 0], [4, 0, 0, 2, 0, 0]], "{trigger}");
    }
}
