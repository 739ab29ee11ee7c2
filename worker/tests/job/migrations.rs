//! Migrations beside imports that run: they only expand, a worker that meets an older schema says so, and a lock that cannot
//! be had holds nobody up.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use diesel::RunQueryDsl as _;
use diesel::connection::SimpleConnection;
use diesel::sql_types::BigInt;
use statemachine::FailureName;
use worker::db::{Connection, Database};
use worker::failure::Failure;
use worker::ledger;

use super::fixture::{OURS, by, described};

/// The migrations of a database, oldest first.
fn folders(of: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations").join(of);
    let mut folders: Vec<_> = folder.read_dir().unwrap().map(|entry| entry.unwrap().path()).collect();
    folders.sort();
    folders
}

/// A new database that has the first migrations only, as an earlier version left it.
fn database_of(url: &str, migrations: &[PathBuf]) -> Database {
    let database = Database::parse(url).unwrap();
    let mut connection = database.connect().unwrap();
    if url.starts_with("postgres") {
        connection.batch_execute("CREATE SCHEMA baton_ledger").unwrap();
    }
    let applied = "CREATE TABLE \"baton_migrations\" (version text PRIMARY KEY NOT NULL, \
         applied_at timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP)";
    connection.batch_execute(applied).unwrap();
    for migration in migrations {
        connection.batch_execute(&std::fs::read_to_string(migration.join("up.sql")).unwrap()).unwrap();
        let version = migration.file_name().unwrap().to_str().unwrap().split('_').next().unwrap();
        let done = format!("INSERT INTO \"baton_migrations\" (version) VALUES ('{version}')");
        connection.batch_execute(&done).unwrap();
    }
    database
}

#[test]
fn a_worker_that_meets_the_schema_of_any_version_before_asks_for_the_migration_and_changes_nothing() {
    for of in ["sqlite", "postgres"] {
        let all = folders(of);
        for count in 0..all.len() {
            let directory = tempfile::tempdir().unwrap();
            let url = match of {
                "sqlite" => format!("sqlite:{}", directory.path().join("old.db").display()),
                _ => crate::postgres::create_database(),
            };
            let database = database_of(&url, &all[..count]);
            let mut connection = database.connect().unwrap();
            let claim = || {
                ledger::claim(
                    &mut database.connect().unwrap(),
                    &described(),
                    &by(OURS),
                    Duration::from_secs(300),
                )
            };
            match claim() {
                Err(Failure::Named { name: FailureName::DatabaseUnavailable, cause, .. }) => {
                    assert!(cause.contains("run `worker migrate`"), "{of} {count}: {cause}");
                }
                other => panic!("{of} {count}: {other:?}"),
            }
            if count > 0 {
                let changed =
                    number(&mut connection, "SELECT count(*) AS value FROM \"baton_jobs\" WHERE attempt > 0");
                assert_eq!(changed, 0);
            }
            assert_eq!(database.migrate().unwrap().len(), all.len() - count);
            claim().unwrap();
        }
    }
}

#[derive(diesel::QueryableByName)]
struct Number {
    #[diesel(sql_type = BigInt)]
    value: i64,
}

fn number(connection: &mut Connection, query: &str) -> i64 {
    let query = diesel::sql_query(query);
    match connection {
        Connection::Postgres(connection) => query.get_result::<Number>(connection),
        Connection::Sqlite(connection) => query.get_result::<Number>(connection),
    }
    .unwrap()
    .value
}

/// A database of PostgreSQL with the oldest schema, whose table of attempts a session holds that writes to it.
fn held() -> (Database, Connection) {
    let database = database_of(&crate::postgres::create_database(), &folders("postgres")[..1]);
    let mut holder = database.connect().unwrap();
    holder.batch_execute("BEGIN; LOCK TABLE \"baton_attempts\" IN ROW EXCLUSIVE MODE").unwrap();
    (database, holder)
}

#[test]
fn a_migration_that_waits_for_a_lock_lets_beats_and_commits_pass_and_gets_it_in_the_end() {
    let (database, mut holder) = held();
    std::thread::scope(|scope| {
        let migration = scope.spawn(|| database.migrate());
        let mut other = database.connect().unwrap();
        let waiting = "SELECT count(*) AS value FROM pg_locks WHERE NOT granted AND relation = 'baton_ledger.attempts'::regclass";
        let deadline = Instant::now() + Duration::from_secs(20);
        while number(&mut other, waiting) == 0 {
            assert!(Instant::now() < deadline && !migration.is_finished(), "the migration does not wait");
            std::thread::yield_now();
        }
        // Behind the migration, which waits for the holder, who waits for this.
        other
            .batch_execute("SET statement_timeout = '20s'; UPDATE \"baton_attempts\" SET cause = NULL")
            .unwrap();
        holder.batch_execute("COMMIT").unwrap();
        assert_eq!(migration.join().unwrap().unwrap().len(), folders("postgres").len() - 1);
    });
    assert!(database.is_up_to_date().unwrap());
}

#[test]
fn a_migration_gives_up_where_a_lock_cannot_be_had_and_leaves_all_as_it_was() {
    let (database, mut holder) = held();
    let begun = Instant::now();
    match database.migrate() {
        Err(Failure::Named { name: FailureName::DatabaseUnavailable, cause, .. }) => {
            assert!(cause.contains("lock timeout"), "{cause}");
        }
        other => panic!("{other:?}"),
    }
    assert!(begun.elapsed() < Duration::from_secs(60));
    assert_eq!(database.pending_migrations().unwrap().len(), folders("postgres").len() - 1);
    holder.batch_execute("COMMIT").unwrap();
    database.migrate().unwrap();
}

/// What workers of the version before could not live with in a migration, statement by statement.
fn contractions(sql: &str) -> Vec<String> {
    let code: Vec<_> = sql.lines().map(|line| line.split("--").next().unwrap()).collect();
    let code = code.join(" ").to_uppercase();
    let mut found = Vec::new();
    for statement in code.split(';') {
        let words: Vec<_> = statement.split_whitespace().collect();
        let statement = words.join(" ");
        let has = |part: &str| format!(" {statement} ").contains(&format!(" {part} "));
        let begins = |part: &str| statement.starts_with(part);
        let removes = has("DROP") || has("RENAME") || begins("TRUNCATE") || begins("DELETE");
        let alters = begins("ALTER TABLE");
        // A column that the version before does not write, and a rule that it does not know.
        let demands = alters
            && ((has("NOT NULL") && !has("DEFAULT"))
                || has("TYPE")
                || has("CONSTRAINT")
                || has("CHECK")
                || has("UNIQUE"));
        if removes || demands || begins("CREATE UNIQUE INDEX") || begins("CREATE TRIGGER") {
            found.push(statement);
        }
    }
    found
}

#[test]
fn migrations_only_expand_unless_they_are_marked_as_the_step_that_contracts() {
    for of in ["sqlite", "postgres"] {
        for migration in folders(of) {
            let sql = std::fs::read_to_string(migration.join("up.sql")).unwrap();
            let found = contractions(&sql);
            // `-- contracts: since which version nobody reads or writes it any more`
            let is_marked = sql.starts_with("-- contracts: ");
            assert_eq!(is_marked, !found.is_empty(), "{}: {found:#?}", migration.display());
        }
    }
}

#[test]
fn a_migration_that_contracts_is_found_out() {
    for sql in [
        "ALTER TABLE \"baton_jobs\" DROP COLUMN cause",
        "drop table \"baton_attempts\"",
        "ALTER TABLE \"baton_jobs\"\n  RENAME COLUMN cause TO why",
        "ALTER TABLE \"baton_jobs\" ADD COLUMN lane text NOT NULL",
        "ALTER TABLE \"baton_jobs\" ALTER COLUMN cause SET NOT NULL",
        "ALTER TABLE \"baton_jobs\" ALTER COLUMN attempt TYPE bigint",
        "ALTER TABLE \"baton_jobs\" ADD CONSTRAINT short CHECK (length(id) < 9)",
        "SELECT 1; CREATE UNIQUE INDEX one ON \"baton_jobs\" (source)",
    ] {
        assert_eq!(contractions(sql).len(), 1, "{sql}");
    }
    for sql in [
        "-- DROP is what this does not do\nALTER TABLE \"baton_jobs\" ADD COLUMN lane text",
        "ALTER TABLE \"baton_jobs\" ADD COLUMN lane integer NOT NULL DEFAULT 0",
        "CREATE TABLE lanes (id integer PRIMARY KEY, name text NOT NULL CHECK (name <> ''))",
    ] {
        assert!(contractions(sql).is_empty(), "{sql}");
    }
}

#[test]
fn batons_tables_are_found_and_made_whatever_the_search_path_is() {
    let url = crate::postgres::create_database();
    let mark = if url.contains('?') { '&' } else { '?' };
    let database =
        |path: &str| Database::parse(&format!("{url}{mark}options=-csearch_path%3D{path}")).unwrap();
    let own = "CREATE SCHEMA app; CREATE TABLE app.jobs (id int); CREATE TABLE app.baton_jobs (id int)";
    database("public").connect().unwrap().batch_execute(own).unwrap();
    assert_eq!(database("nowhere").migrate().unwrap().len(), folders("postgres").len());
    for path in ["app", "public", "nowhere", "app,baton_ledger"] {
        assert!(database(path).is_up_to_date().unwrap(), "{path}");
        let claim = ledger::claim(
            &mut database(path).connect().unwrap(),
            &described(),
            &by(OURS),
            Duration::from_secs(300),
        );
        assert!(matches!(claim, Ok(ledger::Claim::Claimed(_))), "{path}: {claim:?}");
    }
}

/// The cause of a refusal as `Import.DatabaseMisconfigured`.
fn misconfigured<T: std::fmt::Debug>(result: Result<T, Failure>) -> String {
    match result {
        Err(Failure::Named { name: FailureName::DatabaseMisconfigured, cause, .. }) => cause,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_table_of_somebody_else_with_the_name_of_one_of_batons_is_named_and_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    let file = format!("sqlite:{}", directory.path().join("own.db").display());
    let server = crate::postgres::create_database();
    for (url, name, shown) in [
        (&file, "\"Baton_Jobs\"", "baton_jobs is there already and is not Baton's"),
        (&server, "baton_ledger.jobs", "baton_ledger.jobs is there already and is not Baton's"),
    ] {
        let database = Database::parse(url).unwrap();
        let schema = if url.starts_with("postgres") { "CREATE SCHEMA baton_ledger; " } else { "" };
        let own = format!("{schema}CREATE TABLE {name} (id int PRIMARY KEY, what text)");
        database.connect().unwrap().batch_execute(&own).unwrap();
        for refused in [database.migrate().map(drop), database.is_up_to_date().map(drop)] {
            let cause = misconfigured(refused);
            assert!(cause.contains(shown), "{cause}");
        }
        let mut connection = database.connect().unwrap();
        let made = connection.batch_execute("SELECT 1 FROM \"baton_migrations\"");
        assert!(made.is_err(), "nothing was made");
        connection.batch_execute(&format!("SELECT what FROM {name}")).unwrap();
    }
}
