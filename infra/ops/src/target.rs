//! Which system a verb talks to: the stack that is up on the data folder, or one that lives inside the verb and ends with
//! it. Either is reached through its endpoint by the SDK, as a deployed one would be.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use aws_config::BehaviorVersion;
use aws_sdk_sfn::config::{Credentials, Region};
use local_stack::{Config, Limits, REGION, Resources, Session, Stack};
use worker::db::Database;

use crate::cli::Common;
use crate::error::Usage;

/// The file of the rows, inside the data folder, where no other database is named.
const DEFAULT_DATABASE: &str = "baton.db";

/// The system that a verb talks to.
pub(crate) struct Target {
    pub(crate) resources: Resources,
    pub(crate) database: Database,
    pub(crate) ecs: aws_sdk_ecs::Client,
    pub(crate) logs: aws_sdk_cloudwatchlogs::Client,
    pub(crate) s3: aws_sdk_s3::Client,
    pub(crate) sfn: aws_sdk_sfn::Client,
    pub(crate) sqs: aws_sdk_sqs::Client,
    embedded: Option<Stack>,
}

/// What a verb needs of the embedded stack where none is up.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Need {
    /// Messages and executions have to move.
    Work,
    /// What lies in the folder has to go on, into the database that it was meant for.
    Resume,
    /// Questions have to be answered; nothing may move.
    Look,
}

impl Target {
    /// The stack that is up on the data folder or, where there is none, one for the time of this verb.
    pub(crate) async fn open(common: &Common, need: Need) -> anyhow::Result<Self> {
        let session = match need {
            Need::Look => Session::of_any_stack(&common.data_dir)?,
            Need::Work | Need::Resume => Session::of_running_stack(&common.data_dir)?,
        };
        if let Some(session) = session {
            let database = open_database(&session.database_url)?;
            return Ok(Self::connect(session, database, None).await);
        }
        let config = match need {
            Need::Work => embedded_config(common, 0, "*")?,
            Need::Resume => of_last_stack(common)?,
            Need::Look => Config { moving: false, ..of_last_stack(common)? },
        };
        // First, so that no stack is started for a database that is not there.
        let database = open_database(&config.database_url)?;
        let stack = Stack::start(config).await?;
        Ok(Self::connect(stack.session(), database, Some(stack)).await)
    }

    /// Whether the stack lives in this verb, and ends with it.
    pub(crate) fn is_embedded(&self) -> bool {
        self.embedded.is_some()
    }

    /// The stack that is up on the data folder.
    pub(crate) async fn of_running_stack(common: &Common) -> anyhow::Result<Self> {
        let session = Session::of_running_stack(&common.data_dir)?.ok_or_else(|| {
            Usage(format!(
                "no stack is up on {}: start one with `baton up`, or import with `baton run`",
                common.data_dir.display()
            ))
        })?;
        let database = open_database(&session.database_url)?;
        Ok(Self::connect(session, database, None).await)
    }

    /// The stack that this process has started itself.
    pub(crate) async fn of_own_stack(stack: &Stack, database: Database) -> Self {
        Self::connect(stack.session(), database, None).await
    }

    async fn connect(session: Session, database: Database, embedded: Option<Stack>) -> Self {
        let keys = session.credentials;
        let keys = Credentials::new(keys.access_key, keys.secret_key, None, None, "baton");
        let config = aws_config::defaults(BehaviorVersion::latest())
            .http_client(worker::aws::http_client())
            .endpoint_url(&session.endpoint)
            .region(Region::from_static(REGION))
            .credentials_provider(keys)
            .load()
            .await;
        Self {
            resources: session.resources,
            database,
            ecs: aws_sdk_ecs::Client::new(&config),
            logs: aws_sdk_cloudwatchlogs::Client::new(&config),
            s3: aws_sdk_s3::Client::new(&config),
            sfn: aws_sdk_sfn::Client::new(&config),
            sqs: aws_sdk_sqs::Client::new(&config),
            embedded,
        }
    }

    /// Ends the stack inside this verb, if there is one, when what it has in hand is done.
    pub(crate) async fn close(self) {
        if let Some(stack) = self.embedded {
            stack.shutdown().await;
        }
    }
}

/// The database of the system that is meant, whether that is up or not, with Baton's tables brought up to date.
pub(crate) fn database(common: &Common) -> anyhow::Result<Database> {
    let url = match Session::of_running_stack(&common.data_dir)? {
        Some(session) => session.database_url,
        None => of_last_stack(common)?.database_url,
    };
    open_database(&url)
}

/// How to start a stack on what lies in the data folder: it belongs to the database that its last stack used.
fn of_last_stack(common: &Common) -> anyhow::Result<Config> {
    let config = embedded_config(common, 0, "*")?;
    match Session::last(&common.data_dir)? {
        Some(last) if common.database_url.is_none() => {
            Ok(Config { database_url: last.database_url, ..config })
        }
        _ => Ok(config),
    }
}

/// How to start an embedded stack on the data folder, with the programs that lie beside `baton`.
pub(crate) fn embedded_config(common: &Common, port: u16, allowed_tables: &str) -> anyhow::Result<Config> {
    Ok(Config {
        data_dir: common.data_dir.clone(),
        port,
        worker: sibling("worker")?,
        start_import: sibling("start-import")?,
        database_url: database_url(common)?,
        allowed_tables: allowed_tables.to_owned(),
        function_environment: Vec::new(),
        fifo: false,
        worker_environment: Vec::new(),
        limits: Limits::default(),
        moving: true,
    })
}

/// Opens the database and brings Baton's own tables up to date.
pub(crate) fn open_database(url: &str) -> anyhow::Result<Database> {
    let database = Database::parse(url).map_err(|error| Usage(error.to_string()))?;
    database
        .migrate()
        .with_context(|| format!("failed to prepare the tables of Baton in {}", database.display_name()))?;
    Ok(database)
}

/// The database that was asked for, or a file in the data folder. The folder is made here, so that a database can be.
fn database_url(common: &Common) -> anyhow::Result<String> {
    if let Some(url) = &common.database_url {
        return Ok(url.clone());
    }
    let dir = &common.data_dir;
    std::fs::create_dir_all(dir).with_context(|| {
        format!("failed to create the folder {}; --data-dir names another", dir.display())
    })?;
    // Absolute, because the worker may run in another folder.
    let dir =
        dir.canonicalize().with_context(|| format!("failed to resolve the folder {}", dir.display()))?;
    Ok(format!("sqlite:{}", dir.join(DEFAULT_DATABASE).display()))
}

/// A program of this project: it lies beside `baton`, wherever that was installed.
fn sibling(name: &str) -> anyhow::Result<PathBuf> {
    let baton = std::env::current_exe().context("failed to find out where this program lies")?;
    let path =
        baton.parent().unwrap_or(Path::new(".")).join(format!("{name}{}", std::env::consts::EXE_SUFFIX));
    anyhow::ensure!(
        path.is_file(),
        "the program {} is missing; it belongs beside `baton`: `cargo build --release` makes all of them",
        path.display()
    );
    Ok(path)
}
