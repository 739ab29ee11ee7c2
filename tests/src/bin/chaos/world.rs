//! Everything that a run consists of: the stack's process, the database, the links between them and the worker, and the
//! clients to look at it.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::PathBuf;

use aws_sdk_sfn::types::{ExecutionListItem, ExecutionStatus};
use e2e::{Backend, Link};
use local_stack::{Resources, Session};
use rustix::process::Pid;
use statemachine::EXECUTION_ARN;
use tokio::sync::Mutex;
use worker::db::Database;

use crate::backend::Rows;
use crate::planted::Planted;
use crate::stack::{Settings, StackProcess};
use crate::{processes, tables};

/// The world of one run.
pub(crate) struct World {
    pub(crate) dir: PathBuf,
    pub(crate) database: Database,
    /// All URLs of the database that somebody was given.
    pub(crate) database_urls: Vec<String>,
    pub(crate) resources: Resources,
    pub(crate) sfn: aws_sdk_sfn::Client,
    pub(crate) sqs: aws_sdk_sqs::Client,
    pub(crate) s3: aws_sdk_s3::Client,
    pub(crate) stack: Mutex<StackProcess>,
    /// Between the worker and the stack.
    pub(crate) aws: Link,
    /// Between the worker and PostgreSQL.
    pub(crate) rows: Option<Link>,
    _planted: Option<Planted>,
    endpoints: Vec<String>,
}

impl World {
    /// Starts everything in the folder.
    pub(crate) async fn start(
        dir: PathBuf,
        backend: Rows,
        has_planted_bug: bool,
        maximum_imports: u32,
    ) -> Self {
        let database_url = Backend::from(backend).new_database(&dir);
        let database = Database::parse(&database_url).expect("the URL of a new database is right");
        database.migrate().expect("a new database takes Baton's tables");
        tables::create(&database, backend);
        // Held until the stack is started, so that no link gets the stack's port.
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("there is a free port");
        let stack_at = port.local_addr().expect("a listener has an address");
        let aws = Link::to(stack_at);
        let endpoints = vec![format!("http://{}", aws.address()), format!("http://{stack_at}")];
        let mut worker_environment = vec![("AWS_ENDPOINT_URL".to_owned(), endpoints[0].clone())];
        let mut database_urls = vec![database_url.clone()];
        let (mut planted, mut link) = (None, None);
        if backend == Rows::Postgres {
            let (login, rest) = database_url.split_once('@').expect("a role logs in");
            let (address, name) = rest.split_once('/').expect("the database has a name");
            let mut address: SocketAddr = address.parse().expect("PostgreSQL is on 127.0.0.1");
            if has_planted_bug {
                let proxy = Planted::before(address).await;
                address = proxy.address();
                planted = Some(proxy);
            }
            let to_rows = Link::to(address);
            let url = format!("{login}@{}/{name}", to_rows.address());
            database_urls.push(url.clone());
            worker_environment.push(("DATABASE_URL".to_owned(), url));
            link = Some(to_rows);
        }
        let data_dir = dir.join("data");
        let settings = Settings {
            data_dir: data_dir.clone(),
            port: stack_at.port(),
            database_url,
            worker_environment,
            maximum_imports,
        };
        drop(port);
        let stack = StackProcess::start(&settings).await;
        let session = Session::of_running_stack(&data_dir).ok().flatten().expect("the stack is up");
        let config = e2e::aws::config(&session).await;
        Self {
            dir,
            database,
            database_urls,
            resources: session.resources,
            sfn: aws_sdk_sfn::Client::new(&config),
            sqs: aws_sdk_sqs::Client::new(&config),
            s3: aws_sdk_s3::Client::new(&config),
            stack: Mutex::new(stack),
            aws,
            rows: link,
            _planted: planted,
            endpoints,
        }
    }

    pub(crate) fn workers(&self) -> Vec<Pid> {
        processes::of_stack("worker", &self.endpoints)
    }

    /// The worker of an execution, if it runs.
    pub(crate) fn worker_of(&self, execution_arn: &str) -> Option<Pid> {
        self.workers().into_iter().find(|pid| processes::has_variable(*pid, EXECUTION_ARN, execution_arn))
    }

    pub(crate) fn functions(&self) -> Vec<Pid> {
        let functions = ["start-import", "assign-lane"].into_iter();
        functions.flat_map(|function| processes::of_stack(function, &self.endpoints)).collect()
    }

    /// All executions of a machine, of one status if one is given; `None` where the stack does not answer.
    pub(crate) async fn executions(
        &self,
        machine: &str,
        status: Option<ExecutionStatus>,
    ) -> Option<Vec<ExecutionListItem>> {
        let list = self.sfn.list_executions().state_machine_arn(machine).set_status_filter(status);
        list.into_paginator().items().send().collect::<Result<Vec<_>, _>>().await.ok()
    }

    /// How many executions of imports are open; `None` where the stack does not answer.
    pub(crate) async fn open_imports(&self) -> Option<usize> {
        let machine = &self.resources.import_state_machine_arn;
        Some(self.executions(machine, Some(ExecutionStatus::Running)).await?.len())
    }
}
