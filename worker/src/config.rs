//! The worker's configuration, and the only reader of its environment. A secret is wrapped, so that the configuration can
//! be logged whole; all problems are found at once, each with the name of its variable.

mod identity;
mod tables;

use environment::{InvalidEnvironment, Variables};
use logging::{Format, Settings};
use secrecy::SecretString;
use statemachine::{EXECUTION_ARN, IMPORT, Import, TASK_TOKEN, TRACE_HEADER};
use std::ffi::OsString;

use crate::db::Database;
use crate::job;
pub use tables::AllowedTables;

/// The longest task token, in characters (`API_SendTaskSuccess`).
const MAX_TOKEN_CHARS: usize = 2048;

/// What the worker needs to run one import.
#[derive(Clone, Debug)]
pub struct Config {
    /// Of its life. `DATABASE_URL`: where the rows go, and where the ledger is, a secret, unless `DATABASE_AUTH` is `iam`: then
    /// the password is a token, and the URL has none; `secret` by default. `TASK_TOKEN`, a secret. `EXECUTION_ARN`. The worker's ECS
    /// task: its ARN (`ECS_TASK_ARN`, which the embedded stack sets), or its id (from `ECS_CONTAINER_METADATA_URI_V4`, on Fargate),
    /// or else the name of its host. `TRACE_HEADER`: one that has not the documented form is dropped. `HEARTBEAT_INTERVAL_SECONDS`, 20
    /// by default. `STALL_LIMIT_SECONDS`, 60 by default. `LEASE_SECONDS`, 300 by default.
    pub job: job::Settings,
    /// `ALLOWED_TABLES`: the tables that imports may write, `a,schema.b`, or `*` for all but Baton's own.
    pub allowed_tables: AllowedTables,
    /// `IMPORT`: what to import, JSON.
    pub import: Import,
    /// `S3_PATH_STYLE`, `true` or `false`: whether the bucket is asked for in the path. By default where an endpoint is
    /// set by `AWS_ENDPOINT_URL` or `AWS_ENDPOINT_URL_S3`, and not at AWS.
    pub s3_path_style: bool,
    /// How to log: `LOG_FORMAT`, `json` (the default) or `text`; `RUST_LOG`, `info` by default; `METRICS_NAMESPACE`, by default
    /// none, so that lines tell of no metrics.
    pub log: Settings,
}

/// What the worker needs to migrate a database.
#[derive(Clone, Debug)]
pub struct MigrateConfig {
    /// `DATABASE_URL` and `DATABASE_AUTH`: the database to migrate, as in [`Config`].
    pub database: Database,
    /// How to log.
    pub log: Settings,
}

impl Config {
    /// Reads the environment.
    ///
    /// # Errors
    /// [`InvalidEnvironment`], with every problem.
    pub fn from_env() -> Result<Self, InvalidEnvironment> {
        Self::from_lookup(environment::of_process)
    }

    /// Reads variables by `lookup`.
    ///
    /// # Errors
    /// [`InvalidEnvironment`], with every problem.
    pub fn from_lookup(lookup: impl Fn(&str) -> Option<OsString>) -> Result<Self, InvalidEnvironment> {
        let mut variables = Variables::new(&lookup);
        let database = database(&mut variables);
        let allowed_tables = variables.required("ALLOWED_TABLES", AllowedTables::parse);
        let task_token = variables.required(TASK_TOKEN, task_token);
        let execution_arn = variables.required(EXECUTION_ARN, |arn| Ok::<_, String>(arn.to_owned()));
        let import = variables.required(IMPORT, import);
        let trace_header = variables.optional(TRACE_HEADER, None, |text| Ok::<_, String>(text.parse().ok()));
        let heartbeat_interval = variables.seconds("HEARTBEAT_INTERVAL_SECONDS", 20.0);
        let stall_limit = variables.seconds("STALL_LIMIT_SECONDS", 60.0);
        let lease = variables.seconds("LEASE_SECONDS", 300.0);
        if let (Some(interval), Some(lease)) = (heartbeat_interval, lease)
            && lease < 2 * interval
        {
            variables.problem(
                "LEASE_SECONDS",
                "must be at least twice HEARTBEAT_INTERVAL_SECONDS, which renews it",
            );
        }
        let has_endpoint = variables.is_set("AWS_ENDPOINT_URL") || variables.is_set("AWS_ENDPOINT_URL_S3");
        let s3_path_style = variables.optional("S3_PATH_STYLE", has_endpoint, |text| {
            text.parse().map_err(|_| "must be true or false")
        });
        let log = log(&mut variables);
        variables.finish(|| {
            Some(Self {
                job: job::Settings {
                    database: database?,
                    task_token: task_token?,
                    execution_arn: execution_arn?,
                    worker: identity::worker(&lookup),
                    trace_header: trace_header?,
                    heartbeat_interval: heartbeat_interval?,
                    stall_limit: stall_limit?,
                    lease: lease?,
                },
                allowed_tables: allowed_tables?,
                import: import?,
                s3_path_style: s3_path_style?,
                log: log?,
            })
        })
    }
}

impl MigrateConfig {
    /// Reads the environment.
    ///
    /// # Errors
    /// [`InvalidEnvironment`], with every problem.
    pub fn from_env() -> Result<Self, InvalidEnvironment> {
        Self::from_lookup(environment::of_process)
    }

    /// Reads variables by `lookup`.
    ///
    /// # Errors
    /// [`InvalidEnvironment`], with every problem.
    pub fn from_lookup(lookup: impl Fn(&str) -> Option<OsString>) -> Result<Self, InvalidEnvironment> {
        let mut variables = Variables::new(&lookup);
        let database = database(&mut variables);
        let log = log(&mut variables);
        variables.finish(|| Some(Self { database: database?, log: log? }))
    }
}

fn database(variables: &mut Variables<'_>) -> Option<Database> {
    let by_iam = variables.optional("DATABASE_AUTH", false, |text| match text {
        "secret" => Ok(false),
        "iam" => Ok(true),
        _ => Err("must be secret or iam"),
    });
    let parse = |url: &str| {
        let database = Database::parse(url).map_err(|error| format!("is {error}"))?;
        if by_iam == Some(true) { database.by_iam().map_err(|error| error.to_string()) } else { Ok(database) }
    };
    variables.required("DATABASE_URL", parse)
}

fn task_token(token: &str) -> Result<SecretString, String> {
    match token.chars().count() {
        1..=MAX_TOKEN_CHARS => Ok(token.into()),
        length => Err(format!("a task token has 1 to {MAX_TOKEN_CHARS} characters, this one has {length}")),
    }
}

fn import(json: &str) -> Result<Import, String> {
    let import: Import =
        serde_json::from_str(json).map_err(|error| format!("does not describe an import: {error}"))?;
    if import.source.is_some() == import.table.is_some() {
        Ok(import)
    } else {
        Err("has only one of `source` and `table`; give both, or the id alone".to_owned())
    }
}

fn log(variables: &mut Variables<'_>) -> Option<Settings> {
    let format = variables.optional("LOG_FORMAT", Format::Json, |text| match text {
        "json" => Ok(Format::Json),
        "text" => Ok(Format::Text),
        _ => Err("must be json or text"),
    });
    let filter = variables.optional("RUST_LOG", "info".to_owned(), |text| {
        logging::check_filter(text).map(|()| text.to_owned())
    });
    let namespace = variables.optional("METRICS_NAMESPACE", None, |text| text.parse().map(Some));
    Some(Settings { format: format?, filter: filter?, namespace: namespace? })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const VALID: [(&str, &str); 5] = [
        ("DATABASE_URL", "postgres://baton:geheim@db/sales"),
        ("ALLOWED_TABLES", "people"),
        ("TASK_TOKEN", "AAAAtoken"),
        ("EXECUTION_ARN", "arn:aws:states:eu-west-1:123456789012:execution:import:a"),
        ("IMPORT", r#"{"import_id":"a"}"#),
    ];

    fn read(changes: &[(&str, &str)]) -> Result<Config, InvalidEnvironment> {
        Config::from_lookup(|name| {
            let all = changes.iter().chain(&VALID);
            all.into_iter().find(|(known, _)| *known == name).map(|(_, value)| value.into())
        })
    }

    #[test]
    fn what_is_not_set_has_its_documented_default() {
        let config = read(&[]).unwrap();
        assert_eq!(config.job.heartbeat_interval, Duration::from_secs(20));
        assert_eq!(config.job.stall_limit, Duration::from_secs(60));
        assert_eq!(config.job.lease, Duration::from_secs(300));
        let log = Settings { format: Format::Json, filter: "info".to_owned(), namespace: None };
        assert_eq!(config.log, log);
        assert_eq!(config.job.trace_header, None);
        assert!(!config.s3_path_style);
        assert!(read(&[("AWS_ENDPOINT_URL", "http://127.0.0.1:1")]).unwrap().s3_path_style);
    }

    #[test]
    fn intervals_may_be_fractions_of_a_second() {
        let config = read(&[("HEARTBEAT_INTERVAL_SECONDS", "0.25")]).unwrap();
        assert_eq!(config.job.heartbeat_interval, Duration::from_millis(250));
    }

    #[test]
    fn a_trace_header_of_another_form_is_dropped() {
        let header = "Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1";
        let config = read(&[(TRACE_HEADER, header)]).unwrap();
        assert_eq!(config.job.trace_header.unwrap().as_str(), header);
        for text in ["", "Root=1", "{}", "Root=1-5759e988-bd862e3fe1be46a994272793;a=\u{1b}[31m"] {
            assert_eq!(read(&[(TRACE_HEADER, text)]).unwrap().job.trace_header, None, "{text}");
        }
    }

    #[test]
    fn every_problem_is_told_at_once_with_its_variable() {
        let error = Config::from_lookup(|name| match name {
            "ALLOWED_TABLES" => Some("people,baton_ledger.jobs".into()),
            "IMPORT" => Some(r#"{"import_id":"a","table":"people"}"#.into()),
            "STALL_LIMIT_SECONDS" => Some("-1".into()),
            "LEASE_SECONDS" => Some("5".into()),
            "LOG_FORMAT" => Some("xml".into()),
            "S3_PATH_STYLE" => Some("maybe".into()),
            "RUST_LOG" => Some("a=b=c".into()),
            "METRICS_NAMESPACE" => Some("AWS/States".into()),
            "TASK_TOKEN" => Some("t".repeat(2049).into()),
            "EXECUTION_ARN" => Some("".into()),
            _ => None,
        })
        .unwrap_err()
        .to_string();
        let lines: Vec<_> = error.lines().collect();
        for variable in [
            "DATABASE_URL",
            "ALLOWED_TABLES",
            "TASK_TOKEN",
            "EXECUTION_ARN",
            "IMPORT",
            "STALL_LIMIT_SECONDS",
            "LEASE_SECONDS",
            "S3_PATH_STYLE",
            "LOG_FORMAT",
            "RUST_LOG",
            "METRICS_NAMESPACE",
        ] {
            let about = lines.iter().filter(|line| line.starts_with(&format!("{variable} "))).count();
            assert_eq!(about, 1, "{variable} in {error}");
        }
        assert_eq!(lines.len(), 11, "{error}");
    }

    #[test]
    fn the_configuration_can_be_logged_whole() {
        let shown = format!("{:?}", read(&[]).unwrap());
        assert!(shown.contains("postgres db:5432/sales"), "{shown}");
        for secret in ["geheim", "AAAAtoken", "baton:"] {
            assert!(!shown.contains(secret), "{shown}");
        }
    }

    #[test]
    fn a_wrong_url_is_not_repeated() {
        let error = read(&[("DATABASE_URL", "mysql://baton:geheim@db/sales")]).unwrap_err().to_string();
        assert!(error.starts_with("DATABASE_URL ") && !error.contains("geheim"), "{error}");
    }

    #[test]
    fn with_iam_the_url_has_no_password_and_its_connections_are_verified() {
        let url = "postgres://baton@db/sales?sslmode=verify-full";
        let config = read(&[("DATABASE_AUTH", "iam"), ("DATABASE_URL", url)]).unwrap();
        assert!(config.job.database.needs_credentials());
        assert!(
            !read(&[("DATABASE_AUTH", "secret"), ("DATABASE_URL", url)])
                .unwrap()
                .job
                .database
                .needs_credentials()
        );
        let with_password = "postgres://baton:geheim@db/sales?sslmode=verify-full";
        for wrong in [with_password, "postgres://baton@db/sales?sslmode=require", "sqlite:/data/rows.db"] {
            let error = read(&[("DATABASE_AUTH", "iam"), ("DATABASE_URL", wrong)]).unwrap_err().to_string();
            assert!(
                error.starts_with("DATABASE_URL does not do for IAM") && !error.contains("geheim"),
                "{error}"
            );
        }
        let error = read(&[("DATABASE_AUTH", "magic")]).unwrap_err().to_string();
        assert_eq!(error, "DATABASE_AUTH must be secret or iam");
    }

    #[test]
    fn to_migrate_needs_nothing_but_the_database() {
        let config = MigrateConfig::from_lookup(|name| {
            (name == "DATABASE_URL").then(|| "sqlite:/data/rows.db".into())
        });
        assert_eq!(config.unwrap().database.display_name(), "sqlite /data/rows.db");
    }
}
