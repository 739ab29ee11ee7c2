//! IAM database authentication against a real PostgreSQL, which has every password judged as IAM would.

use std::process::{Command, Output};
use std::time::{Duration, SystemTime};

use aws_config::{Region, SdkConfig};
use aws_sdk_sfn::config::{Credentials, SharedCredentialsProvider};
use chrono::NaiveDateTime;
use diesel::connection::SimpleConnection as _;
use secrecy::ExposeSecret as _;
use statemachine::FailureName;
use worker::db::{Database, Login};
use worker::failure::Failure;

use super::certificates;
use super::directory::Directory;
use crate::postgres::Cluster;

const ACCESS_KEY: &str = "AKIDEXAMPLE";
const SECRET_KEY: &str = "wJalrXUtnFEMI/K7MDENG";
const SESSION_TOKEN: &str = "IQoJb3JpZ2lu//example==";
const REGION: &str = "ap-northeast-1";
const ROLE: &str = "by_iam";

fn credentials(secret_key: &str) -> Credentials {
    Credentials::new(ACCESS_KEY, secret_key, Some(SESSION_TOKEN.to_owned()), None, "test")
}

/// Whether a token would let the role in now: it is the one that its date, our keys and this login give.
fn is_valid(token: &str, port: u16) -> bool {
    let date = token.split('&').find_map(|part| part.strip_prefix("X-Amz-Date=")).unwrap_or_default();
    let Ok(date) = NaiveDateTime::parse_from_str(date, "%Y%m%dT%H%M%SZ") else { return false };
    let signed_at = SystemTime::from(date.and_utc());
    let is_fresh =
        SystemTime::now().duration_since(signed_at).is_ok_and(|age| age < Duration::from_secs(900));
    let login = Login { host: "localhost".to_owned(), port, user: ROLE.to_owned() };
    let expected = login.token(&credentials(SECRET_KEY), &Region::from_static(REGION), signed_at).unwrap();
    is_fresh && token == expected.expose_secret()
}

/// A PostgreSQL that lets the role in by token alone, through TLS alone.
struct World {
    folder: tempfile::TempDir,
    directory: Directory,
    _cluster: Cluster,
    url: String,
}

impl World {
    fn start() -> Self {
        let folder = certificates();
        // The port of the database, which the token names, is known later.
        let (port, known) = std::sync::mpsc::channel::<u16>();
        let port_of_database = std::sync::OnceLock::new();
        let directory = Directory::start(move |token| {
            is_valid(token, *port_of_database.get_or_init(|| known.recv().unwrap()))
        });
        let path = |file: &str| folder.path().join(file).display().to_string();
        let rules = format!(
            "hostssl all {ROLE} all ldap ldapserver=127.0.0.1 ldapport={} ldapprefix=\"uid=\" ldapsuffix=\",dc=rds\"\n\
             host all {ROLE} all reject\nhost all all all trust\n",
            directory.port
        );
        std::fs::write(folder.path().join("rules"), rules).unwrap();
        let options = format!(
            "-F -c ssl=on -c ssl_cert_file={} -c ssl_key_file={} -c hba_file={}",
            path("server.pem"),
            path("server.key"),
            path("rules")
        );
        let cluster = Cluster::start(&options, &[]);
        let owner = cluster.create_database();
        let (address, name) =
            owner.strip_prefix("postgres://baton@127.0.0.1:").unwrap().split_once('/').unwrap();
        port.send(address.parse().unwrap()).unwrap();
        let role = format!("CREATE ROLE {ROLE} LOGIN; GRANT CREATE ON DATABASE {name} TO {ROLE}");
        Database::parse(&owner).unwrap().connect().unwrap().batch_execute(&role).unwrap();
        let url = format!(
            "postgres://{ROLE}@localhost:{address}/{name}?sslmode=verify-full&sslrootcert={}",
            path("ca.pem")
        );
        Self { folder, directory, _cluster: cluster, url }
    }

    fn database(&self, secret_key: &str, runtime: &tokio::runtime::Runtime) -> Database {
        let aws = SdkConfig::builder()
            .region(Region::from_static(REGION))
            .credentials_provider(SharedCredentialsProvider::new(credentials(secret_key)))
            .build();
        Database::parse(&self.url).unwrap().by_iam().unwrap().with_credentials(&aws, runtime.handle())
    }

    /// Runs `worker migrate`, as a task does.
    fn migrate(&self, variables: &[(&str, &str)]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_worker"))
            .arg("migrate")
            .env_clear()
            .envs([("DATABASE_AUTH", "iam"), ("DATABASE_URL", &self.url), ("AWS_REGION", REGION)])
            // Everything that can be logged is.
            .envs([("RUST_LOG", "trace"), ("AWS_EC2_METADATA_DISABLED", "true")])
            .env("HOME", self.folder.path())
            .envs(variables.iter().copied())
            .output()
            .unwrap()
    }
}

#[test]
fn every_connection_has_a_token_of_its_own_which_the_database_accepts() {
    let world = World::start();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let database = world.database(SECRET_KEY, &runtime);
    for _ in 0..2 {
        database.connect().unwrap().batch_execute("SELECT 1").unwrap();
    }
    assert_eq!(database.migrate().unwrap(), ["0001", "0002"]);
    // Connections of the job are made on the runtime's threads for what blocks.
    let other = database;
    runtime
        .block_on(async { tokio::task::spawn_blocking(move || other.connect().map(drop)).await })
        .unwrap()
        .unwrap();
    let asked = world.directory.asked();
    assert_eq!(asked.len(), 4);
    assert!(asked.iter().all(|token| token.contains(&format!("DBUser={ROLE}&"))), "{asked:?}");
    // Without a token it stays outside.
    assert!(Database::parse(&world.url).unwrap().connect().is_err());
}

#[test]
fn a_token_that_is_refused_is_in_no_message_and_is_tried_again() {
    let world = World::start();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let refused = world.database("another key", &runtime).connect().map(drop);
    let Err(Failure::Named { name: FailureName::DatabaseUnavailable, cause, .. }) = refused else {
        panic!("{refused:?}");
    };
    assert!(cause.contains("authentication failed"), "{cause}");
    let token = world.directory.asked().pop().unwrap();
    for secret in [token.as_str(), "X-Amz", ROLE, ACCESS_KEY] {
        assert!(!cause.contains(secret), "{cause}");
    }
}

#[test]
fn the_worker_itself_gets_in_with_the_credentials_of_its_task_and_logs_none_of_it() {
    let world = World::start();
    let with_key = |key| {
        world.migrate(&[
            ("AWS_ACCESS_KEY_ID", ACCESS_KEY),
            ("AWS_SECRET_ACCESS_KEY", key),
            ("AWS_SESSION_TOKEN", SESSION_TOKEN),
        ])
    };
    for (output, code) in [(with_key(SECRET_KEY), 0), (with_key("another key"), 1), (world.migrate(&[]), 1)] {
        let text = [output.stdout, output.stderr].concat();
        let text = String::from_utf8_lossy(&text);
        assert_eq!(output.status.code(), Some(code), "{text}");
        for secret in
            ["X-Amz-Signature", "X-Amz-Credential", SECRET_KEY, "another key", SESSION_TOKEN, &world.url]
        {
            assert!(!text.contains(secret), "{secret} is in {text}");
        }
    }
    assert_eq!(world.directory.asked().len(), 2);
}
