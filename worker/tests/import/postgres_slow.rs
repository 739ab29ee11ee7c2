//! Statements of PostgreSQL that take long: beats go on while the database works, whatever it works on, and no limit of the
//! role's ends an import in its midst.

use std::future::pending;

use statemachine::{ExitCode, ImportOptions};
use worker::config::{AllowedTables, Config};
use worker::import::CsvImport;
use worker::imports::asked;
use worker::job::{Patience, run};

use super::world::{World, max_rejects};
use crate::step_functions::StepFunctions;

/// A function that does not return until there is a row in `gate`, and a table whose rows wait for it: `{when}`.
const GATE: &str = "CREATE TABLE gate (opened int);
     CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS
     $$ BEGIN WHILE NOT EXISTS (SELECT FROM gate) LOOP PERFORM pg_sleep(0.02); END LOOP; RETURN NULL; END $$;
     CREATE TABLE t (id int PRIMARY KEY, name text CHECK (name <> 'bad'))";

/// The commit of an import waits for the gate, whatever the load has had checked before.
const HELD_COMMIT: &str = "CREATE CONSTRAINT TRIGGER held AFTER UPDATE ON \"baton_jobs\" DEFERRABLE INITIALLY DEFERRED
       FOR EACH ROW WHEN (NEW.status = 'SUCCESS') EXECUTE FUNCTION wait();
     CREATE FUNCTION defer() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN SET CONSTRAINTS baton_ledger.held DEFERRED; RETURN NEW; END $$;
     CREATE TRIGGER defer BEFORE UPDATE ON \"baton_jobs\" FOR EACH ROW EXECUTE FUNCTION defer()";

/// No progress for as long stops the beats. The database is looked at every second.
const STALL_LIMIT_SECONDS: u32 = 2;

/// One worker's import.
struct Worker {
    config: Config,
    server: StepFunctions,
}

impl Worker {
    async fn new(world: &World, id: &str, options: &str) -> Self {
        let port = world.lines("SELECT inet_server_port()::text AS line").remove(0);
        let name = world.lines("SELECT current_database()::text AS line").remove(0);
        let url = format!("postgres://baton@127.0.0.1:{port}/{name}");
        let import = format!(
            r#"{{"import_id":"{id}","source":"s3://uploads/file.csv","table":"t","options":{{{options}}}}}"#
        );
        let execution = format!("arn:aws:states:eu-west-1:123456789012:execution:import:{id}");
        let stall_limit = STALL_LIMIT_SECONDS.to_string();
        let values = [
            ("DATABASE_URL", url.as_str()),
            ("ALLOWED_TABLES", "*"),
            ("TASK_TOKEN", "the-token"),
            ("EXECUTION_ARN", &execution),
            ("IMPORT", &import),
            ("HEARTBEAT_INTERVAL_SECONDS", "0.1"),
            ("STALL_LIMIT_SECONDS", &stall_limit),
        ];
        let lookup =
            |name: &str| values.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).into());
        Self { config: Config::from_lookup(lookup).unwrap(), server: StepFunctions::start().await }
    }

    async fn import(&self, world: &World) -> ExitCode {
        let work = CsvImport {
            allowed: AllowedTables::parse("*").unwrap(),
            s3: world.s3.clone(),
            runtime: tokio::runtime::Handle::current(),
        };
        let asked = asked(&self.config.import);
        run(&self.config.job, &asked, self.server.client(), Patience::default(), pending(), work).await
    }

    /// Waits, from beat to beat, until a statement has run for longer than any stall is allowed to be, and still beats come.
    async fn beats_through(&self, world: &World, statement: &str) {
        let is_long = format!(
            "pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND state = 'active' \
             AND query LIKE '{statement}%' AND clock_timestamp() - query_start > interval '{} s'",
            STALL_LIMIT_SECONDS + 1
        );
        while world.count(&is_long) == 0 {
            self.server.wait_for_beats(self.server.beats() + 5).await;
            assert!(self.server.reports().is_empty(), "{:?}", self.server.reports());
        }
        self.server.wait_for_beats(self.server.beats() + 10).await;
        assert!(world.count(&is_long) > 0, "the statement has ended");
    }
}

/// Runs one import, which beats while `statement` waits for the gate.
fn import_beats_through(world: &World, options: &str, statement: &str) {
    world.runtime.block_on(async {
        let worker = Worker::new(world, "a", options).await;
        let open = async {
            worker.beats_through(world, statement).await;
            world.execute("INSERT INTO gate VALUES (1)");
        };
        let (code, ()) = tokio::join!(worker.import(world), open);
        assert_eq!(code, ExitCode::Reported, "{:?}", worker.server.reports());
    });
    assert_eq!(world.lines("SELECT status || attempt AS line FROM \"baton_jobs\""), ["SUCCESS1"]);
}

#[test]
fn triggers_at_the_end_of_a_copy_may_outlast_every_limit() {
    let world = World::postgres(&format!(
        "{GATE}; CREATE TRIGGER wait AFTER INSERT ON t FOR EACH ROW EXECUTE FUNCTION wait()"
    ));
    world.put("file.csv", b"id,name\n1,a\n2,b\n");
    import_beats_through(&world, "", "COPY");
    assert_eq!(world.count("t"), 2);
}

#[test]
fn an_upsert_with_a_bad_row_may_outlast_every_limit() {
    let world = World::postgres(&format!(
        "{GATE}; CREATE TRIGGER wait AFTER INSERT ON t FOR EACH ROW EXECUTE FUNCTION wait()"
    ));
    world.put("file.csv", b"id,name\n1,a\n2,bad\n2,b\n1,c\n");
    import_beats_through(&world, r#""on_conflict":"update","max_rejects":1"#, "DO ");
    assert_eq!(world.lines("SELECT id || name AS line FROM t ORDER BY id"), ["1c", "2b"]);
}

#[test]
fn a_check_of_deferred_constraints_may_outlast_every_limit() {
    let world = World::postgres(&format!(
        "{GATE}; CREATE CONSTRAINT TRIGGER held AFTER INSERT ON t DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION wait()"
    ));
    world.put("file.csv", b"id,name\n1,a\n");
    import_beats_through(&world, "", "SET CONSTRAINTS");
    assert_eq!(world.count("t"), 1);
}

#[test]
fn a_commit_may_outlast_every_limit() {
    let world = World::postgres(&format!("{GATE}; {HELD_COMMIT}"));
    world.put("file.csv", b"id,name\n1,a\n");
    import_beats_through(&world, "", "COMMIT");
    assert_eq!(world.count("t"), 1);
}

#[test]
fn two_imports_of_one_file_at_once_wait_for_each_other_and_beat() {
    let world = World::postgres(&format!("{GATE}; {HELD_COMMIT}; ALTER TABLE t DROP CONSTRAINT t_pkey"));
    world.put("file.csv", b"id,name\n1,a\n");
    world.runtime.block_on(async {
        let first = Worker::new(&world, "a", "").await;
        let second = Worker::new(&world, "b", r#""once":true"#).await;
        let open = async {
            first.beats_through(&world, "COMMIT").await;
            let both = async {
                second.beats_through(&world, "SELECT").await;
                world.execute("INSERT INTO gate VALUES (1)");
            };
            tokio::join!(second.import(&world), both).0
        };
        let (code, other) = tokio::join!(first.import(&world), open);
        assert_eq!((code, other), (ExitCode::Reported, ExitCode::FailureReported));
    });
    let ends =
        world.lines("SELECT id || status || coalesce(error, '') AS line FROM \"baton_jobs\" ORDER BY id");
    assert_eq!(ends, ["aSUCCESS", "bFAILUREImport.AlreadyImported"]);
    assert_eq!(world.count("t"), 1);
}

#[test]
fn a_roles_isolation_is_not_that_of_an_import_whose_beats_change_its_row_meanwhile() {
    let world = World::of_role(
        "ALTER ROLE {role} SET default_transaction_isolation = 'serializable'; CREATE TABLE t (id int PRIMARY KEY);
         GRANT INSERT, SELECT ON t TO {role};
         CREATE FUNCTION look() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
           IF current_setting('transaction_isolation') <> 'read committed' THEN RAISE 'isolated'; END IF; RETURN NULL; END $$;
         CREATE TRIGGER look AFTER INSERT ON t FOR EACH ROW EXECUTE FUNCTION look()",
    );
    let (result, findings) = world.import_as("a", b"id\n1\n2\n", "t", ImportOptions::default());
    assert_eq!(result.unwrap().rows, 2, "{findings:?}");
}

#[test]
fn a_roles_limit_for_statements_does_not_end_an_import() {
    let world = World::of_role(
        "ALTER ROLE {role} SET statement_timeout = '150ms'; CREATE TABLE t (id int PRIMARY KEY, name text);
         GRANT INSERT, SELECT ON t TO {role};
         CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(0.2); RETURN NULL; END $$;
         CREATE TRIGGER slow AFTER INSERT ON t FOR EACH ROW EXECUTE FUNCTION slow()",
    );
    let (result, _) = world.import_as("a", b"id,name\n1,a\n2,b\n", "t", ImportOptions::default());
    assert_eq!(result.unwrap().rows, 2);
    let (result, findings) = world.import_as("b", b"id,name\n3,a\n2,b\n", "t", max_rejects(1));
    assert_eq!((result.unwrap().rows, findings.first_rejects[0].line), (1, 3));
}
