//! Constraints of PostgreSQL that are checked at the commit. What holds there is taken, as by COPY; what does not is found with
//! its rows, by a second load that has each row checked when it is written.

use statemachine::{FailureName, ImportOptions, OnConflict};

use super::world::{World, max_rejects, named};

/// A trigger writes the row that each row refers to.
const PARENTS: &str = "CREATE TABLE p (a int PRIMARY KEY);
    CREATE TABLE t (a int PRIMARY KEY, b int REFERENCES p DEFERRABLE INITIALLY DEFERRED, c int CHECK (c > 0));
    CREATE FUNCTION bring() RETURNS trigger LANGUAGE plpgsql AS
      $$ BEGIN INSERT INTO p VALUES (NEW.b) ON CONFLICT DO NOTHING; RETURN NULL; END $$;
    CREATE TRIGGER x AFTER INSERT ON t FOR EACH ROW WHEN (NEW.b < 100) EXECUTE FUNCTION bring()";

/// The lines of a vouchers' file must come to nothing for each voucher.
const BALANCED: &str =
    "CREATE TABLE t (id int PRIMARY KEY, voucher int, amount int); CREATE INDEX ON t (voucher);
    CREATE FUNCTION balance() RETURNS trigger LANGUAGE plpgsql AS
      $$ BEGIN IF (SELECT sum(amount) FROM t WHERE voucher = NEW.voucher) <> 0 THEN
           RAISE EXCEPTION 'voucher % is not balanced', NEW.voucher; END IF; RETURN NULL; END $$;
    CREATE CONSTRAINT TRIGGER balanced AFTER INSERT ON t DEFERRABLE INITIALLY DEFERRED
      FOR EACH ROW EXECUTE FUNCTION balance()";

/// Positions without a gap or a repetition, at the commit.
const PLACES: &str =
    "CREATE TABLE t (id int PRIMARY KEY, pos int UNIQUE DEFERRABLE INITIALLY DEFERRED, c int CHECK (c > 0));
    INSERT INTO t VALUES (1, 1, 1), (2, 2, 1), (3, 3, 1)";

fn told(findings: &statemachine::Findings) -> Vec<(u64, &str)> {
    findings.first_rejects.iter().map(|reject| (reject.line, reject.reason.as_str())).collect()
}

fn update(max_rejects: u64) -> ImportOptions {
    ImportOptions { on_conflict: OnConflict::Update, ..super::world::max_rejects(max_rejects) }
}

#[test]
fn what_a_trigger_writes_may_be_what_a_row_refers_to() {
    let world = World::postgres(PARENTS);
    let (result, findings) = world.import_as("a", b"a,b,c\n1,1,1\n3,2,1\n", "t", ImportOptions::default());
    assert_eq!((result.unwrap().rows, findings.notes.len()), (2, 0), "{findings:?}");
    // Beside a row that is refused for another reason.
    let (result, findings) = world.import_as("b", b"a,b,c\n4,4,1\n5,5,0\n6,6,1\n", "t", max_rejects(3));
    assert_eq!((result.unwrap().rows, told(&findings)), (2, vec![(3, "check")]), "{findings:?}");
}

#[test]
fn a_row_that_breaks_a_deferred_constraint_is_found_and_what_was_done_is_told() {
    let world = World::postgres(PARENTS);
    let (result, findings) = world.import_as("a", b"a,b,c\n1,1,1\n2,200,1\n3,3,1\n", "t", max_rejects(2));
    assert_eq!((result.unwrap().rows, told(&findings)), (2, vec![(3, "foreign_key")]), "{findings:?}");
    assert!(findings.notes.iter().any(|note| note.contains("checks at the commit")), "{findings:?}");
}

#[test]
fn a_failed_import_says_that_deferred_constraints_did_not_hold() {
    let world = World::postgres(PARENTS);
    let (result, findings) = world.import_as("f", b"a,b,c\n1,1,1\n2,200,1\n", "t", ImportOptions::default());
    assert_eq!(named(result).0, FailureName::TooManyRejects);
    assert_eq!(told(&findings), [(3, "foreign_key")], "{findings:?}");
    assert!(findings.notes.iter().any(|note| note.contains("checks at the commit")), "{findings:?}");
}

#[test]
fn a_deferred_trigger_looks_at_all_rows_of_the_file() {
    let world = World::postgres(BALANCED);
    let rows: String = (0..40_000)
        .map(|id| format!("{id},{},{}\n", id % 20_000, if id < 20_000 { 5 } else { -5 }))
        .collect();
    let (result, _) =
        world.import_as("a", format!("id,voucher,amount\n{rows}").as_bytes(), "t", ImportOptions::default());
    assert_eq!(result.unwrap().rows, 40_000);
    let refused = world.import(b"id,voucher,amount\n90000,-1,5\n", "t", ImportOptions::default());
    let (name, cause) = named(refused);
    assert_eq!(name, FailureName::TooManyRejects);
    assert!(cause.contains("voucher -1 is not balanced"), "{cause}");
}

#[test]
fn an_update_may_exchange_values_that_are_unique_at_the_commit() {
    for (file, rejects) in [
        // A key comes twice; a row is refused for another reason; neither.
        ("id,pos,c\n3,9,1\n1,2,1\n3,8,1\n2,1,1\n", vec![]),
        ("id,pos,c\n1,2,1\n9,3,0\n2,1,1\n", vec![(3, "check")]),
        ("id,pos,c\n1,2,1\n2,1,1\n", vec![]),
    ] {
        let world = World::postgres(PLACES);
        let (result, findings) = world.import_as("u", file.as_bytes(), "t", update(3));
        result.unwrap();
        assert_eq!(told(&findings), rejects, "{file}: {findings:?}");
        assert_eq!(
            world.lines("SELECT pos::text AS line FROM t WHERE id < 3 ORDER BY id"),
            ["2", "1"],
            "{file}"
        );
    }
}

#[test]
fn of_rows_that_are_updated_only_the_last_is_held_to_a_reference_at_the_commit() {
    let world = World::postgres(
        "CREATE TABLE p (id bigint PRIMARY KEY); INSERT INTO p VALUES (1), (2);
         CREATE TABLE t (id int PRIMARY KEY, p_id bigint REFERENCES p DEFERRABLE INITIALLY DEFERRED)",
    );
    let (result, findings) = world.import_as("l", b"id,p_id\n1,9\n1,2\n2,1\n", "t", update(0));
    assert_eq!((result.unwrap().rows, findings.duplicates), (2, 1), "{findings:?}");
    // Where one is refused in the end, it is found.
    let (result, findings) = world.import_as("m", b"id,p_id\n3,9\n4,1\n4,8\n5,2\n", "t", update(3));
    result.unwrap();
    let lines: Vec<_> = told(&findings).into_iter().map(|(line, _)| line).collect();
    assert_eq!(lines, [2, 4], "{findings:?}");
    let rows = "SELECT concat_ws(' ', id, p_id) AS line FROM t ORDER BY id";
    assert_eq!(world.lines(rows), ["1 2", "2 1", "4 1", "5 2"]);
}

#[test]
fn a_dry_run_checks_what_the_commit_would() {
    let world = World::postgres(PLACES);
    let options = ImportOptions { dry_run: true, ..update(5) };
    let (result, findings) = world.import_as("d", b"id,pos,c\n1,2,1\n2,1,1\n3,2,1\n", "t", options);
    result.unwrap();
    assert!(!told(&findings).is_empty(), "{findings:?}");
    assert_eq!(world.lines("SELECT pos::text AS line FROM t ORDER BY id"), ["1", "2", "3"]);
}
