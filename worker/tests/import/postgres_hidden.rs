//! What a query does not see as the server's own checks do: rows that policies hide, rows of tables that inherit; and what the
//! server says of a table below a view, or of keys of its own kind.

use statemachine::{FailureName, ImportOptions, OnConflict};

use super::world::{World, max_rejects, named};

fn told(findings: &statemachine::Findings) -> Vec<(u64, &str)> {
    findings.first_rejects.iter().map(|reject| (reject.line, reject.reason.as_str())).collect()
}

#[test]
fn a_row_may_refer_to_one_that_a_policy_hides() {
    let world = World::of_role(
        "CREATE TABLE p (id int PRIMARY KEY, o text); INSERT INTO p VALUES (1, 'a'), (2, 'b');
         ALTER TABLE p ENABLE ROW LEVEL SECURITY; CREATE POLICY x ON p USING (o = 'a');
         CREATE TABLE t (id int PRIMARY KEY, p int REFERENCES p); GRANT SELECT ON p TO PUBLIC;
         GRANT SELECT, INSERT, UPDATE ON t TO PUBLIC",
    );
    for (on_conflict, file) in [
        (OnConflict::Error, "id,p\n1,1\n2,2\n3,9\n"),
        (OnConflict::Skip, "id,p\n11,1\n12,2\n13,9\n12,1\n"),
        (OnConflict::Update, "id,p\n21,1\n22,2\n23,9\n22,1\n"),
    ] {
        let options = ImportOptions { on_conflict, ..max_rejects(3) };
        let (result, findings) = world.import_as(&file[5..7].replace(',', ""), file.as_bytes(), "t", options);
        result.unwrap();
        assert_eq!(told(&findings), [(4, "foreign_key")], "{on_conflict:?}: {findings:?}");
    }
}

#[test]
fn a_row_is_skipped_for_one_that_a_policy_hides_and_is_no_duplicate_within_the_file() {
    for (rejects, file, expected) in [
        (0, "1,a,x\n50,a,clash\n", (1, 1, 0)),
        (1, "1,a,x\n2,b,refused\n50,a,clash\n", (1, 1, 0)),
        (0, "1,a,x\n50,a,clash\n1,a,again\n", (1, 1, 1)),
        (1, "1,a,x\n2,b,refused\n50,a,clash\n1,a,again\n", (1, 1, 1)),
        (1, "1,a,x\n2,b,refused\n7,a,clash\n1,a,again\n7,a,z\n,a,null\n", (1, 2, 1)),
    ] {
        let world = World::of_role(
            "CREATE TABLE t (id int PRIMARY KEY, tenant text, v text); ALTER TABLE t ENABLE ROW LEVEL SECURITY;
             CREATE POLICY p ON t USING (tenant = 'a'); GRANT ALL ON t TO PUBLIC;
             INSERT INTO t VALUES (50, 'b', 'hidden'), (7, 'a', 'seen')",
        );
        let rejects = rejects + u64::from(file.contains("null"));
        let options = ImportOptions { on_conflict: OnConflict::Skip, ..max_rejects(rejects) };
        let file = format!("id,tenant,v\n{file}");
        let (result, findings) = world.import_as("h", file.as_bytes(), "t", options);
        let found = (result.unwrap().rows, findings.skipped, findings.duplicates);
        assert_eq!((found, told(&findings).len() as u64), (expected, rejects), "{file} {findings:?}");
    }
}

#[test]
fn the_key_of_a_table_is_not_about_the_rows_of_those_that_inherit_from_it() {
    let world = World::postgres(
        "CREATE TABLE ip (id int PRIMARY KEY, v text); CREATE TABLE ic () INHERITS (ip); INSERT INTO ic VALUES (1, 'child'), (7, 'child');
         CREATE TABLE t (id int PRIMARY KEY, ip int REFERENCES ip)",
    );
    let (result, findings) = world.import_as("i", b"id,v\n1,x\n2,y\n2,z\n", "ip", max_rejects(3));
    assert_eq!((result.unwrap().rows, told(&findings)), (2, vec![(4, "unique")]), "{findings:?}");
    // A row of the child can be referred to no more than its key can be broken.
    let (result, findings) = world.import_as("f", b"id,ip\n1,1\n2,7\n3,2\n", "t", max_rejects(3));
    assert_eq!((result.unwrap().rows, told(&findings)), (2, vec![(3, "foreign_key")]), "{findings:?}");
}

#[test]
fn a_reject_of_a_view_blames_no_column_of_the_table_below() {
    let world = World::postgres(
        "CREATE TABLE base (a int UNIQUE, b int CHECK (b > 0)); CREATE VIEW v AS SELECT a AS b, b AS a FROM base",
    );
    let (result, findings) = world.import_as("v", b"a,b\n1,1\n-3,7\n4,1\n", "v", max_rejects(2));
    assert_eq!(
        (result.unwrap().rows, told(&findings)),
        (1, vec![(3, "check"), (4, "unique")]),
        "{findings:?}"
    );
    for reject in &findings.first_rejects {
        assert_eq!((&reject.column, &reject.value), (&None, &None), "{reject:?}");
        assert!(reject.says.starts_with("is refused by the database: "), "{reject:?}");
    }
}

#[test]
fn a_key_over_an_expression_is_no_column_of_the_file() {
    let world =
        World::postgres("CREATE TABLE t (id int PRIMARY KEY, v text); CREATE UNIQUE INDEX ON t (lower(v))");
    let (result, findings) = world.import_as("e", b"id,v\n1,a\n2,A\n", "t", max_rejects(2));
    assert_eq!((result.unwrap().rows, &findings.first_rejects[0].column), (1, &None), "{findings:?}");
}

#[test]
fn a_copy_that_is_refused_before_its_first_row_says_why_and_blames_no_row() {
    let world = World::postgres(
        "CREATE FUNCTION must_give() RETURNS text LANGUAGE plpgsql IMMUTABLE AS
           $$ BEGIN RAISE EXCEPTION 'tenant must be given'; END $$;
         CREATE TABLE t (id int, tenant text NOT NULL DEFAULT must_give(), w int)",
    );
    for rebuild_indexes in [false, true] {
        let options = ImportOptions { rebuild_indexes, ..max_rejects(5) };
        let (name, cause) =
            named(world.import_as(&format!("b{rebuild_indexes}"), b"id,w\n1,2\n2,3\n", "t", options).0);
        assert_eq!(name, FailureName::DatabaseMisconfigured, "{cause}");
        assert!(cause.contains("tenant must be given (SQLSTATE P0001)"), "{cause}");
    }
    assert_eq!(world.count("t"), 0);
}
