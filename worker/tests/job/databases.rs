//! Connecting, migrating, and the beat in the database.

use std::path::Path;
use std::time::Duration;

use diesel::connection::SimpleConnection;
use statemachine::FailureName;
use statemachine::ImportProgress;
use worker::db::{Connection, Database};
use worker::failure::Failure;
use worker::ledger::{Lease, Renewal, Renewer, Search};

use super::fixture::{ANOTHER, OURS, TestDatabase, id};

const COUNTERS: ImportProgress = ImportProgress { rows: 10, rejects: 2, bytes: 300, bytes_total: 900 };

fn renewer(test: &TestDatabase, attempt: i32) -> Renewer {
    Renewer::new(test.database.clone(), id(), attempt, Duration::from_secs(600))
}

#[test]
fn a_migrated_database_is_up_to_date_and_migrating_it_again_does_nothing() {
    for test in TestDatabase::both() {
        assert!(test.database.is_up_to_date().unwrap());
        assert!(test.database.migrate().unwrap().is_empty());
    }
}

#[test]
fn a_database_that_is_up_to_date_is_not_waited_for_while_an_import_writes_to_it() {
    let directory = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", directory.path().join("rows.db").display());
    let database = Database::parse(&url).unwrap();
    database.migrate().unwrap();
    let Connection::Sqlite(mut importing) = database.connect().unwrap() else { panic!("{url} is SQLite") };
    importing.batch_execute("BEGIN IMMEDIATE; DELETE FROM \"baton_jobs\"").unwrap();
    assert!(database.migrate().unwrap().is_empty());
    importing.batch_execute("ROLLBACK").unwrap();
}

#[test]
fn an_empty_database_is_not_up_to_date_and_says_what_to_do() {
    let directory = tempfile::tempdir().unwrap();
    let sqlite = format!("sqlite://{}", directory.path().join("empty.db").display());
    for url in [sqlite, crate::postgres::create_database()] {
        let database = Database::parse(&url).unwrap();
        assert!(!database.is_up_to_date().unwrap());
        let failure =
            worker::imports::search(&mut database.connect().unwrap(), &Search::default()).unwrap_err();
        assert!(failure.to_string().contains("run `worker migrate`"), "{failure}");
    }
}

#[test]
fn a_look_at_pending_migrations_creates_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("not there.db");
    let database = Database::parse(&format!("sqlite:{}", file.display())).unwrap();
    assert_eq!(database.pending_migrations().unwrap(), ["0001_jobs", "0002_attempts_version"]);
    assert!(!database.is_up_to_date().unwrap());
    assert_eq!(directory.path().read_dir().unwrap().count(), 0);

    // Somebody's file without a log, whose bytes stay as they are.
    file_of_another(&file);
    let before = std::fs::read(&file).unwrap();
    assert_eq!(database.pending_migrations().unwrap().len(), 2);
    assert_eq!(std::fs::read(&file).unwrap(), before);
    assert_eq!(directory.path().read_dir().unwrap().count(), 1);

    let database = Database::parse(&crate::postgres::create_database()).unwrap();
    assert_eq!(database.pending_migrations().unwrap().len(), 2);
    let Connection::Postgres(mut connection) = database.connect().unwrap() else { panic!("not PostgreSQL") };
    let made = "SELECT count(*) FROM pg_class WHERE relnamespace IN ('public'::regnamespace, to_regnamespace('baton_ledger'))";
    let made = diesel::dsl::sql::<diesel::sql_types::BigInt>(made);
    assert_eq!(diesel::RunQueryDsl::get_result::<i64>(made, &mut connection).unwrap(), 0);
}

/// A database of SQLite as another program makes it.
fn file_of_another(file: &Path) {
    let mut connection =
        <diesel::SqliteConnection as diesel::Connection>::establish(file.to_str().unwrap()).unwrap();
    connection.batch_execute("CREATE TABLE people (name text)").unwrap();
}

#[test]
fn a_database_that_is_up_to_date_needs_no_create_and_one_that_is_not_is_misconfigured_without_it() {
    let (url, role) = with_role();
    let owner = Database::parse(&url).unwrap();
    let worker = Database::parse(&url.replace("baton@", &format!("{role}@"))).unwrap();
    let execute = |sql: &str| owner.connect().unwrap().batch_execute(&sql.replace("{role}", &role)).unwrap();

    match worker.migrate() {
        Err(Failure::Named { name: FailureName::DatabaseMisconfigured, cause, .. }) => {
            assert!(cause.contains("permission denied for database"), "{cause}");
            assert!(cause.contains("run `baton migrate` once as the role that owns"), "{cause}");
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(worker.pending_migrations().unwrap().len(), 2);

    owner.migrate().unwrap();
    for verb in [Database::pending_migrations, Database::migrate] {
        match verb(&worker) {
            Err(Failure::Named { name: FailureName::DatabaseMisconfigured, cause, .. }) => {
                assert!(cause.contains("permission denied for schema baton"), "{cause}");
            }
            other => panic!("{other:?}"),
        }
    }

    execute(
        "GRANT USAGE ON SCHEMA baton_ledger TO {role}; GRANT SELECT ON baton_ledger.migrations TO {role}",
    );
    assert!(worker.pending_migrations().unwrap().is_empty());
    assert!(worker.is_up_to_date().unwrap());
    assert!(worker.migrate().unwrap().is_empty());
}

/// A new database, and a role that may log into it and nothing else.
fn with_role() -> (String, String) {
    let url = crate::postgres::create_database();
    let role = format!("worker_of_{}", url.rsplit('/').next().unwrap());
    let database = Database::parse(&url).unwrap();
    // As version 15 makes a database: before, everybody may create in `public`.
    let sql = format!("CREATE ROLE {role} LOGIN; REVOKE CREATE ON SCHEMA public FROM PUBLIC");
    database.connect().unwrap().batch_execute(&sql).unwrap();
    (url, role)
}

#[test]
fn two_migrations_at_a_time_wait_for_each_other() {
    let directory = tempfile::tempdir().unwrap();
    let sqlite = format!("sqlite:{}", directory.path().join("new.db").display());
    for url in [sqlite, crate::postgres::create_database()] {
        let database = Database::parse(&url).unwrap();
        let applied: usize = std::thread::scope(|scope| {
            let all: Vec<_> = (0..4).map(|_| scope.spawn(|| database.migrate().unwrap().len())).collect();
            all.into_iter().map(|one| one.join().unwrap()).sum()
        });
        assert_eq!(applied, 2, "{url}");
    }
}

#[test]
fn every_migration_can_be_undone_and_done_again() {
    for (test, folder) in TestDatabase::both().into_iter().zip(["sqlite", "postgres"]) {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations").join(folder);
        let mut migrations: Vec<_> = folder.read_dir().unwrap().map(|entry| entry.unwrap().path()).collect();
        migrations.sort();
        test.register();
        let run =
            |migration: &Path, file| test.execute(&std::fs::read_to_string(migration.join(file)).unwrap());
        migrations.iter().rev().for_each(|migration| run(migration, "down.sql"));
        migrations.iter().for_each(|migration| run(migration, "up.sql"));
        test.register();
    }
}

#[test]
fn a_database_that_is_away_is_named_without_user_and_password() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let database = Database::parse(&format!("postgres://joe:geheim@127.0.0.1:{free}/sales")).unwrap();
    match database.connect() {
        Err(Failure::Named { name: FailureName::DatabaseUnavailable, cause, .. }) => {
            assert!(cause.contains(&format!("postgres 127.0.0.1:{free}/sales")), "{cause}");
            assert!(!cause.contains("joe") && !cause.contains("geheim"), "{cause}");
        }
        other => panic!("{:?}", other.err()),
    }
}

#[test]
fn a_user_that_may_not_log_in_is_not_named() {
    let url = crate::postgres::create_database().replace("baton@", "joe:geheim@");
    let failure = Database::parse(&url).unwrap().connect().err().unwrap().to_string();
    assert!(failure.contains("does not exist"), "{failure}");
    assert!(!failure.contains("joe") && !failure.contains("geheim"), "{failure}");
}

#[test]
fn a_beat_renews_the_lease_and_tells_the_progress() {
    for test in TestDatabase::both() {
        test.register();
        let claimed = test.claim(OURS);
        assert_eq!(renewer(&test, 1).renew(&COUNTERS.to_value(), Lease::Renewed).unwrap(), Renewal::Ours);
        let row = test.row();
        assert!(row.lease_expires_at > claimed.lease_expires_at);
        assert_eq!((row.rows_done, row.rejects, row.bytes_done, row.bytes_total), (10, 2, 300, 900));
    }
}

#[test]
fn a_beat_can_tell_the_progress_without_a_sign_of_life() {
    for test in TestDatabase::both() {
        test.register();
        let claimed = test.claim(OURS);
        assert_eq!(renewer(&test, 1).renew(&COUNTERS.to_value(), Lease::AsItIs).unwrap(), Renewal::Ours);
        let row = test.row();
        assert_eq!((row.rows_done, row.lease_expires_at), (10, claimed.lease_expires_at));
    }
}

#[test]
fn a_beat_of_a_replaced_attempt_learns_that_and_changes_nothing() {
    for test in TestDatabase::both() {
        test.register();
        test.claim(OURS);
        let mut renewer = renewer(&test, 1);
        assert_eq!(
            renewer.renew(&ImportProgress::default().to_value(), Lease::Renewed).unwrap(),
            Renewal::Ours
        );
        let taken_over = test.claim(OURS);
        assert_eq!(renewer.renew(&COUNTERS.to_value(), Lease::Renewed).unwrap(), Renewal::NotOurs);
        assert_eq!(test.row(), taken_over);
        test.execute("DELETE FROM \"baton_jobs\"");
        assert_eq!(renewer.renew(&COUNTERS.to_value(), Lease::Renewed).unwrap(), Renewal::NotOurs);
    }
}

#[test]
fn while_a_load_holds_sqlites_write_lock_beats_go_on_and_readers_see_them() {
    let test = TestDatabase::sqlite();
    test.register();
    test.claim(ANOTHER);
    let mut load = test.connect();
    load.batch_execute("BEGIN IMMEDIATE; INSERT INTO people VALUES ('x');").unwrap();
    let mut renewer = renewer(&test, 1);
    assert_eq!(renewer.renew(&ImportProgress::default().to_value(), Lease::Renewed).unwrap(), Renewal::Ours);
    assert_eq!(renewer.renew(&COUNTERS.to_value(), Lease::Renewed).unwrap(), Renewal::Ours);
    let row = test.row();
    assert_eq!((row.rows_done, row.rejects, row.bytes_done, row.bytes_total), (10, 2, 300, 900));
    load.batch_execute("ROLLBACK").unwrap();
}

#[test]
fn a_session_counts_time_in_utc() {
    let test = TestDatabase::postgres();
    let Connection::Postgres(mut connection) = test.connect() else { panic!("not PostgreSQL") };
    let zone = diesel::dsl::sql::<diesel::sql_types::Text>("SELECT current_setting('TimeZone')");
    let zone: String = diesel::RunQueryDsl::get_result(zone, &mut connection).unwrap();
    assert_eq!(zone, "UTC");
}
