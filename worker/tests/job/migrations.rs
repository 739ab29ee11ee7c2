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
use worker::imports;

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
    // As diesel writes it down.
    let applied = "CREATE TABLE __diesel_schema_migrations (version VARCHAR(50) PRIMARY KEY NOT NULL, \
         run_on TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP)";
    connection.batch_execute(applied).unwrap();
    for migration in migrations {
        connection.batch_execute(&std::fs::read_to_string(migration.join("up.sql")).unwrap()).unwrap();
        let version = migration.file_name().unwrap().to_str().unwrap().split('_').next().unwrap();
        let done = format!("INSERT INTO __diesel_schema_migrations (version) VALUES ('{version}')");
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
                imports::claim(
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
                    number(&mut connection, "SELECT count(*) AS value FROM imports WHERE attempt > 0");
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

/// A database of PostgreSQL with the oldest schema, whose table `imports` a session holds that writes to it.
fn held() -> (Database, Connection) {
    let database = database_of(&crate::postgres::create_database(), &folders("postgres")[..1]);
    let mut holder = database.connect().unwrap();
    holder.batch_execute("BEGIN; LOCK TABLE imports IN ROW EXCLUSIVE MODE").unwrap();
    (database, holder)
}

#[test]
fn a_migration_that_waits_for_a_lock_lets_beats_and_commits_pass_and_gets_it_in_the_end() {
    let (database, mut holder) = held();
    std::thread::scope(|scope| {
        let migration = scope.spawn(|| database.migrate());
        let mut other = database.connect().unwrap();
        let waiting =
            "SELECT count(*) AS value FROM pg_locks WHERE NOT granted AND relation = 'imports'::regclass";
        let deadline = Instant::now() + Duration::from_secs(20);
        while number(&mut other, waiting) == 0 {
            assert!(Instant::now() < deadline && !migration.is_finished(), "the migration does not wait");
            std::thread::yield_now();
        }
        // Behind the migration, which waits for the holder, who waits for this.
        other.batch_execute("SET statement_timeout = '20s'; UPDATE imports SET updated_at = now()").unwrap();
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
        "ALTER TABLE imports DROP COLUMN cause",
        "drop table import_attempts",
        "ALTER TABLE imports\n  RENAME COLUMN cause TO why",
        "ALTER TABLE imports ADD COLUMN lane text NOT NULL",
        "ALTER TABLE imports ALTER COLUMN cause SET NOT NULL",
        "ALTER TABLE imports ALTER COLUMN attempt TYPE bigint",
        "ALTER TABLE imports ADD CONSTRAINT short CHECK (length(id) < 9)",
        "SELECT 1; CREATE UNIQUE INDEX one ON imports (source)",
    ] {
        assert_eq!(contractions(sql).len(), 1, "{sql}");
    }
    for sql in [
        "-- DROP is what this does not do\nALTER TABLE imports ADD COLUMN lane text",
        "ALTER TABLE imports ADD COLUMN lane integer NOT NULL DEFAULT 0",
        "CREATE TABLE lanes (id integer PRIMARY KEY, name text NOT NULL CHECK (name <> ''))",
    ] {
        assert!(contractions(sql).is_empty(), "{sql}");
    }
}

#[test]
fn a_search_path_that_leads_away_from_batons_tables_makes_no_second_set_unless_the_url_names_a_schema() {
    let url = crate::postgres::create_database();
    let database = Database::parse(&url).unwrap();
    database.migrate().unwrap();
    database
        .connect()
        .unwrap()
        .batch_execute(
            "CREATE SCHEMA s2; DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET search_path = s2', current_database()); END $$",
        )
        .unwrap();
    for refused in [database.migrate().map(drop), database.is_up_to_date().map(drop)] {
        match refused {
            Err(Failure::Named { name: FailureName::DatabaseMisconfigured, cause, .. }) => {
                assert!(
                    cause.contains("in the schema public, and the search_path of this session (s2)"),
                    "{cause}"
                );
            }
            other => panic!("{other:?}"),
        }
    }
    let named = |schema: &str| {
        let mark = if url.contains('?') { '&' } else { '?' };
        Database::parse(&format!("{url}{mark}options=-csearch_path%3D{schema}")).unwrap()
    };
    assert!(named("public").is_up_to_date().unwrap());
    assert_eq!(named("s2").migrate().unwrap().len(), folders("postgres").len());
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
    for (url, name) in [(&file, "\"Imports\""), (&server, "imports")] {
        let database = Database::parse(url).unwrap();
        database
            .connect()
            .unwrap()
            .batch_execute(&format!("CREATE TABLE {name} (id int PRIMARY KEY, what text)"))
            .unwrap();
        for refused in [database.migrate().map(drop), database.is_up_to_date().map(drop)] {
            let cause = misconfigured(refused);
            assert!(cause.contains("is there already and is not Baton's"), "{cause}");
        }
        let mut connection = database.connect().unwrap();
        assert!(
            connection.batch_execute("SELECT 1 FROM __diesel_schema_migrations").is_err(),
            "nothing was made"
        );
        connection.batch_execute(&format!("SELECT what FROM {name}")).unwrap();
    }
}

#[test]
fn the_schema_that_is_advised_for_batons_tables_leaves_the_others_in_the_path() {
    let server = crate::postgres::create_database();
    let database = Database::parse(&server).unwrap();
    let before = "CREATE SCHEMA \"My app\"; CREATE TABLE \"My app\".imports (id int); CREATE SCHEMA baton;
                  DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET search_path = \"My app\", public', current_database()); END $$";
    database.connect().unwrap().batch_execute(before).unwrap();
    let cause = misconfigured(database.migrate());
    let advised = cause.split_once("?options=").unwrap().1;
    let mark = if server.contains('?') { '&' } else { '?' };
    let own = Database::parse(&format!("{server}{mark}options={advised}")).unwrap();
    assert_eq!(own.migrate().unwrap().len(), folders("postgres").len());
    assert!(own.is_up_to_date().unwrap());
    own.connect().unwrap().batch_execute("CREATE TABLE \"My app\".orders (id int); SELECT id FROM orders; SELECT source FROM baton.imports").unwrap();
}

#[test]
fn a_table_that_the_search_path_leads_to_before_batons_own_is_named() {
    let url = crate::postgres::create_database();
    let database = Database::parse(&url).unwrap();
    database.migrate().unwrap();
    let before = "CREATE SCHEMA app; CREATE TABLE app.imports (id int);
                  DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET search_path = app, public', current_database()); END $$";
    database.connect().unwrap().batch_execute(before).unwrap();
    let cause = misconfigured(database.is_up_to_date());
    assert!(cause.contains("(app, public) leads to app.imports, which is not Baton's"), "{cause}");
}
