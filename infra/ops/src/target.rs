//! Which system is talked to: a deployment on AWS, the stack that is up on the data folder, or one that lives inside
//! the caller and ends with it. Each is reached by the SDK in the same way, only at another endpoint.

pub mod choice;
mod config;
mod database;
pub mod links;
pub mod local;
pub mod place;

use std::time::{Duration, Instant};

use aws_config::{BehaviorVersion, ConfigLoader, SdkConfig};
use aws_sdk_sfn::config::{Credentials, Region};
use chrono::{DateTime, Utc};
use local_stack::{Config, DatabaseName, Databases, Occupied, REGION, Resources, Session, Stack};
use worker::db::Database;

use crate::error::Usage;
pub use choice::Choice;
use choice::Kind;
use config::Deployment;
pub use database::{bare_database, database, name_in_folder, open_database};
use database::{expect_the_same, parse_database, prepare, prepare_at};
pub use local::{OfStack, embedded_config};
pub use place::Place;

/// How long a stack that does not answer as it should may still be open, because it is about to end.
const CLOSING: Duration = Duration::from_secs(2);
/// How long a stack that ends may take to leave its folder to another one.
const HANDING_OVER: Duration = Duration::from_secs(15);
const GLANCE: Duration = Duration::from_millis(50);

/// The system that everything is asked of.
pub struct Target {
    /// Where it is.
    pub place: Place,
    /// What it is made of.
    pub resources: Resources,
    /// Where its rows are.
    pub database: Database,
    /// What the clients are made of.
    pub(crate) config: SdkConfig,
    /// Its containers.
    pub ecs: aws_sdk_ecs::Client,
    pub(crate) logs: aws_sdk_cloudwatchlogs::Client,
    /// Its files.
    pub s3: aws_sdk_s3::Client,
    /// Its executions.
    pub sfn: aws_sdk_sfn::Client,
    /// Its queues.
    pub sqs: aws_sdk_sqs::Client,
    /// Whether nothing moves in it: an embedded stack that only looks.
    pub is_at_rest: bool,
    /// Of an embedded stack: the databases that its folder has imported into, and how its own is told from them.
    known: Box<(Databases, DatabaseName)>,
    embedded: Option<Stack>,
    /// The stack of another process.
    joined: Option<Box<Session>>,
}

/// What a caller needs of the embedded stack where none is up. A deployment is always up.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// Messages and executions have to move.
    Work,
    /// What lies in the folder has to go on, into the database that it was meant for.
    Resume,
    /// Questions have to be answered; nothing may move.
    Look,
}

impl Target {
    /// The system that is meant. Of an embedded one, the stack that is up or, where there is none, one for the time of
    /// the caller.
    ///
    /// # Errors
    /// It cannot be reached, or its database is not ready.
    pub async fn open(choice: &Choice, need: Need) -> anyhow::Result<Self> {
        let target = Self::reach(choice, need).await?;
        prepare_at(choice, &target.database).map(|()| target)
    }

    /// As [`Target::open`], whatever state the database's tables are in.
    ///
    /// # Errors
    /// It cannot be reached.
    pub(crate) async fn reach(choice: &Choice, need: Need) -> anyhow::Result<Self> {
        let began = Instant::now();
        loop {
            if let Some(target) = Box::pin(Self::running(choice, need)).await? {
                return Ok(target);
            }
            match Box::pin(Self::start(choice, need)).await {
                // Another caller has begun one at the same moment, or is about to end its own.
                Err(error) if error.is::<Occupied>() && began.elapsed() < patience(choice)? => {
                    tokio::time::sleep(GLANCE).await;
                }
                started => return started,
            }
        }
    }

    /// One that lives in the caller.
    async fn start(choice: &Choice, need: Need) -> anyhow::Result<Self> {
        let config = match need {
            Need::Work => embedded_config(choice, &OfStack::default())?,
            Need::Resume => local::of_last_stack(choice)?,
            Need::Look => Config { moving: false, ..local::of_last_stack(choice)? },
        };
        // First, so that no stack is started for a database that is not there.
        let database = parse_database(&config.database_url)?;
        prepare(&database)?;
        let named = name_in_folder(&database, &choice.data_dir);
        let stack = Stack::start(Config { database: named, ..config }).await?;
        Ok(Self::of_stack(choice, stack.session(), database, Some(stack)).await)
    }

    /// The system that is up. `else_do` says what can be done where none is, besides starting one: "import with `baton run`".
    ///
    /// # Errors
    /// No embedded stack is up on the folder, or as [`Target::open`].
    pub async fn of_running_stack(choice: &Choice, else_do: &str) -> anyhow::Result<Self> {
        let target = Self::running(choice, Need::Work).await?.ok_or_else(|| {
            let looking = Session::of_any_stack(&choice.data_dir).ok().flatten();
            let looking = looking.map_or_else(String::new, |session| {
                format!("; another command is looking in that folder (process {}): end it first", session.pid)
            });
            Usage(format!(
                "no stack is up on {}: start one with `{}`, or {else_do}{looking}",
                choice.data_dir.display(),
                choice.commands.line("up"),
            ))
        })?;
        prepare_at(choice, &target.database).map(|()| target)
    }

    /// The stack that this process has started itself.
    pub async fn of_own_stack(choice: &Choice, stack: &Stack, database: Database) -> Self {
        Self::of_stack(choice, stack.session(), database, None).await
    }

    /// None where it is an embedded stack that is not up, or only looks and is to work.
    async fn running(choice: &Choice, need: Need) -> anyhow::Result<Option<Self>> {
        if let Kind::Aws(deployment, database_url) = &choice.chosen.kind {
            return Self::of_deployment(choice, deployment, database_url).await.map(Some);
        }
        let session = match need {
            Need::Look => Session::of_any_stack(&choice.data_dir)?,
            Need::Work | Need::Resume => Session::of_running_stack(&choice.data_dir)?,
        };
        let Some(session) = session else { return Ok(None) };
        let database = parse_database(&session.database_url)?;
        if let Some(asked) = &choice.database_url {
            expect_the_same(&database, &parse_database(asked)?)?;
        }
        Ok(Some(Self::of_stack(choice, session, database, None).await))
    }

    async fn of_deployment(
        choice: &Choice,
        deployment: &Deployment,
        database_url: &str,
    ) -> anyhow::Result<Self> {
        let name = choice.chosen.name.as_deref().unwrap_or_default();
        let mut loader = loader().region(Region::new(deployment.region.clone()));
        if let Some(profile) = &deployment.profile {
            loader = loader.profile_name(profile);
        }
        if let Some(url) = &deployment.endpoint_url {
            loader = loader.endpoint_url(url);
        }
        let config = loader.load().await;
        // What was exported for the embedded stack must not take a deployment's requests.
        if let (Some(elsewhere), None) = (config.endpoint_url(), &deployment.endpoint_url) {
            return Err(Usage(format!(
                "the environment, or the profile, sends requests to {elsewhere}, and the target {name} has no endpoint_url: \
                 unset AWS_ENDPOINT_URL, and the keys that go with it"
            ))
            .into());
        }
        let database = parse_database(database_url)?;
        Ok(Self::connect(place(choice), deployment.resources.clone(), database, config, None))
    }

    async fn of_stack(
        choice: &Choice,
        session: Session,
        database: Database,
        embedded: Option<Stack>,
    ) -> Self {
        let joined = embedded.is_none().then(|| Box::new(session.clone()));
        // Whoever cannot read it is told so by the stack itself.
        let databases = Databases::of_folder(&choice.data_dir).unwrap_or_default();
        let name = database.name_with_role();
        let named = match databases.has_others_than(&name) {
            true => name_in_folder(&database, &choice.data_dir),
            false => DatabaseName { name, identity: None },
        };
        let keys = session.credentials;
        let keys = Credentials::new(keys.access_key, keys.secret_key, None, None, "baton");
        // What is set for AWS leads nobody away from the stack.
        let loader = loader()
            .use_dual_stack(false)
            .use_fips(false)
            .endpoint_url(&session.endpoint)
            .region(Region::from_static(REGION))
            .credentials_provider(keys);
        let config = loader.load().await;
        let target = Self::connect(place(choice), session.resources, database, config, embedded);
        Self { is_at_rest: !session.moving, known: Box::new((databases, named)), joined, ..target }
    }

    fn connect(
        place: Place,
        resources: Resources,
        database: Database,
        config: SdkConfig,
        embedded: Option<Stack>,
    ) -> Self {
        Self {
            place,
            resources,
            database,
            ecs: aws_sdk_ecs::Client::new(&config),
            logs: aws_sdk_cloudwatchlogs::Client::new(&config),
            s3: aws_sdk_s3::Client::new(&config),
            sfn: aws_sdk_sfn::Client::new(&config),
            sqs: aws_sdk_sqs::Client::new(&config),
            config,
            is_at_rest: false,
            known: Box::default(),
            embedded,
            joined: None,
        }
    }

    /// Whether this was the stack of another process, and has ended.
    pub async fn has_ended(&self) -> bool {
        let Some(joined) = &self.joined else { return false };
        let closed = Instant::now() + CLOSING;
        while joined.answers().await {
            if Instant::now() >= closed {
                return false;
            }
            tokio::time::sleep(GLANCE).await;
        }
        true
    }

    /// The stack that has the folder after that of another process has ended: one inside this process, or again another's. None
    /// where that stack is still up, or was never another's.
    ///
    /// # Errors
    /// No stack can be had on the folder.
    pub async fn successor(&self, choice: &Choice) -> anyhow::Result<Option<Self>> {
        let Some(joined) = &self.joined else { return Ok(None) };
        if !self.has_ended().await {
            return Ok(None);
        }
        let deadline = Instant::now() + HANDING_OVER;
        loop {
            // The folder may still be held by the one that ends, or just be taken by another that looks for a successor.
            let next = match Session::of_running_stack(&choice.data_dir)? {
                Some(session) if session.pid == joined.pid => Err(anyhow::anyhow!(
                    "the stack of process {} has ended, and does not leave the folder {}",
                    joined.pid,
                    choice.data_dir.display()
                )),
                _ => Box::pin(Self::open(choice, Need::Resume)).await,
            };
            match next {
                Ok(next) => return Ok(Some(next)),
                Err(error) if Instant::now() >= deadline => return Err(error),
                Err(_) => tokio::time::sleep(GLANCE).await,
            }
        }
    }

    /// The same system, where things move: in the place of a stack that only looks there is one that goes on with what lies
    /// in the folder. Whoever does not need that leaves it: workers would be started, and stopped when the caller ends.
    ///
    /// # Errors
    /// As [`Target::open`].
    pub async fn moving(self, choice: &Choice) -> anyhow::Result<Self> {
        if !self.is_at_rest {
            return Ok(self);
        }
        self.close().await;
        Self::open(choice, Need::Resume).await
    }

    /// The database that work of this moment is for, where that is another than the target's.
    pub fn other_database(&self, moment: DateTime<Utc>) -> Option<String> {
        let (databases, named) = &*self.known;
        let of_then = databases.at(moment.timestamp_millis())?;
        let as_another = |name: &str| match name == named.shown() {
            true => format!("{name} as another role, or with other options"),
            false => name.to_owned(),
        };
        (!of_then.is(named)).then(|| as_another(of_then.shown()))
    }

    /// Whether the stack lives in this process, and ends with it.
    pub fn is_embedded(&self) -> bool {
        self.embedded.is_some()
    }

    /// Ends the stack inside this process, if there is one, when what it has in hand is done.
    pub async fn close(self) {
        if let Some(stack) = self.embedded {
            stack.shutdown().await;
        }
    }
}

/// How long the stack that has the folder may take to say where it is, or to leave it. One that only looks has it as long as it
/// looks.
fn patience(choice: &Choice) -> anyhow::Result<Duration> {
    let only_looks = Session::of_any_stack(&choice.data_dir)?.is_some_and(|session| !session.moving);
    Ok(if only_looks { CLOSING } else { HANDING_OVER })
}

fn loader() -> ConfigLoader {
    aws_config::defaults(BehaviorVersion::latest()).http_client(worker::aws::http_client())
}

/// Where the system that is meant is.
pub fn place(choice: &Choice) -> Place {
    match &choice.chosen.kind {
        Kind::Local => Place::Local { name: choice.chosen.name.clone(), data_dir: choice.data_dir.clone() },
        Kind::Aws(deployment, _) => Place::Aws {
            name: choice.chosen.name.clone().unwrap_or_default(),
            account: deployment.account().to_owned(),
            region: deployment.region.clone(),
            endpoint_url: deployment.endpoint_url.clone(),
        },
    }
}
