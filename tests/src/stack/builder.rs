//! How a test's stack is started: what differs from the usual one, and what stands between its worker and the rest.

use std::net::SocketAddr;
use std::path::PathBuf;

use local_stack::{Config, Limits, Stack};
use tempfile::TempDir;
use worker::db::Database;

use super::{Backend, TestStack};
use crate::{Front, Link, Version, binaries};

/// A stack that is to be started.
pub struct Builder {
    backend: Backend,
    /// The folder and the database come when it is started.
    config: Config,
    has_front: bool,
    has_link: bool,
    has_step_functions_link: bool,
    login: Option<&'static str>,
    schema: Version,
}

impl Builder {
    pub(super) fn new(backend: Backend) -> Self {
        let config = Config {
            data_dir: PathBuf::new(),
            port: 0,
            worker: binaries::path("worker"),
            start_import: binaries::path("start-import"),
            assign_lane: binaries::path("assign-lane"),
            database_url: String::new(),
            database: local_stack::DatabaseName::default(),
            is_database_moved: false,
            allowed_tables: "*".to_owned(),
            worker_environment: Vec::new(),
            function_environment: Vec::new(),
            fifo: false,
            maximum_imports: 0,
            limits: Limits::default(),
            moving: true,
        };
        Self {
            backend,
            config,
            has_front: false,
            has_link: false,
            has_step_functions_link: false,
            login: None,
            schema: Version::This,
        }
    }

    /// Another configuration; the folder and the database are not to be chosen.
    #[must_use]
    pub fn config(mut self, change: impl FnOnce(&mut Config)) -> Self {
        change(&mut self.config);
        self
    }

    /// Limits of its own.
    #[must_use]
    pub fn limits(self, limits: Limits) -> Self {
        self.config(|config| config.limits = limits)
    }

    /// A stack that answers and moves nothing by itself.
    #[must_use]
    pub fn at_rest(self) -> Self {
        self.config(|config| config.moving = false)
    }

    /// Has the worker speak to the stack through a [`Front`].
    #[must_use]
    pub fn behind_front(self) -> Self {
        Self { has_front: true, ..self }
    }

    /// Has the worker speak to PostgreSQL through a [`Link`]; the test itself does not.
    #[must_use]
    pub fn database_behind_link(self) -> Self {
        Self { has_link: true, ..self }
    }

    /// Has the worker speak to Step Functions through a [`Link`] of its own, behind which is the [`Front`].
    #[must_use]
    pub fn step_functions_behind_link(self) -> Self {
        Self { has_front: true, has_step_functions_link: true, ..self }
    }

    /// Has the worker log in to PostgreSQL as another role than the owner of all.
    #[must_use]
    pub fn worker_logs_in_as(self, role: &'static str) -> Self {
        Self { login: Some(role), ..self }
    }

    /// Gives the worker another value of a variable than the stack would.
    #[must_use]
    pub fn worker_variable(self, name: &str, value: &str) -> Self {
        self.config(|config| config.worker_environment.push((name.to_owned(), value.to_owned())))
    }

    /// Has the database Baton's tables as a version made them.
    #[must_use]
    pub fn schema_of(self, version: Version) -> Self {
        Self { schema: version, ..self }
    }

    /// Starts the stack.
    ///
    /// # Panics
    /// It does not start.
    pub async fn start(self) -> TestStack {
        // Boxed: every test's own future would have room for all of it.
        Box::pin(self.start_here()).await
    }

    async fn start_here(self) -> TestStack {
        let dir = tempfile::tempdir().expect("a test has a folder");
        let database_url = self.backend.new_database(dir.path());
        match self.schema {
            Version::This => {
                let database = Database::parse(&database_url).expect("the URL of a test's database is right");
                database.migrate().expect("the test's database takes Baton's tables");
            }
            Version::Previous => self.schema.migrate(&database_url),
        }
        let link = self.has_link.then(|| Link::to(address_of(&database_url)));
        let config = Config { data_dir: dir.path().to_owned(), database_url, ..self.config };
        let mut setup = Setup { config, front: None, link, step_functions_link: None };
        if setup.link.is_some() || self.login.is_some() {
            let url = setup.url_of_worker(self.login);
            setup.config.worker_environment.push(("DATABASE_URL".to_owned(), url));
        }
        if self.has_front {
            let front = Front::start().await;
            setup
                .config
                .worker_environment
                .push(("AWS_ENDPOINT_URL".to_owned(), front.endpoint().to_owned()));
            if self.has_step_functions_link {
                let link = Link::to(front.address());
                let endpoint = format!("http://{}", link.address());
                setup.config.worker_environment.push(("AWS_ENDPOINT_URL_SFN".to_owned(), endpoint));
                setup.step_functions_link = Some(link);
            }
            setup.front = Some(front);
        }
        // On the heap: every test's own future would have the whole start within it.
        Box::pin(setup.start(dir)).await
    }
}

/// What a stack was started with, and is started with again.
pub(super) struct Setup {
    config: Config,
    pub(super) front: Option<Front>,
    pub(super) link: Option<Link>,
    pub(super) step_functions_link: Option<Link>,
}

impl Setup {
    /// Starts a stack on the folder.
    pub(super) async fn start(self, dir: TempDir) -> TestStack {
        let stack = Stack::start(self.config.clone()).await.expect("a stack starts");
        if let Some(front) = &self.front {
            front.pass_to(stack.endpoint());
        }
        let config = crate::aws::config(&stack.session()).await;
        TestStack {
            resources: stack.resources().clone(),
            database: Database::parse(&self.config.database_url)
                .expect("the URL of a test's database is right"),
            stack: Some(stack),
            dir,
            setup: self,
            ending: super::ending::Ending::open(),
            sfn: aws_sdk_sfn::Client::new(&config),
            sqs: aws_sdk_sqs::Client::new(&config),
            s3: aws_sdk_s3::Client::new(&config),
            ecs: aws_sdk_ecs::Client::new(&config),
        }
    }

    /// The URL of the database, for whoever is not the worker.
    pub(super) fn database_url(&self) -> &str {
        &self.config.database_url
    }

    /// Every URL of the database that somebody was given: no log may have one.
    pub(super) fn database_urls(&self) -> impl Iterator<Item = &str> {
        let of_worker = self.config.worker_environment.iter().filter(|(name, _)| name == "DATABASE_URL");
        of_worker.map(|(_, url)| url.as_str()).chain([self.database_url()])
    }

    /// The URL with the worker's login, through the link if there is one.
    fn url_of_worker(&self, login: Option<&str>) -> String {
        let (own_login, rest) = self.database_url().split_once('@').expect("a role logs in to PostgreSQL");
        let (address, name) = rest.split_once('/').expect("the URL names the database");
        let address =
            self.link.as_ref().map_or_else(|| address.to_owned(), |link| link.address().to_string());
        let login = login.map_or_else(|| own_login.to_owned(), |role| format!("postgres://{role}"));
        format!("{login}@{address}/{name}")
    }
}

/// Where PostgreSQL listens.
fn address_of(database_url: &str) -> SocketAddr {
    let host = database_url.split_once('@').and_then(|(_, rest)| rest.split_once('/')).map(|(host, _)| host);
    host.and_then(|host| host.parse().ok()).expect("the tests' PostgreSQL listens on 127.0.0.1")
}
