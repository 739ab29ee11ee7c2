//! `baton.toml`: the same verbs on a deployment. The embedded stack stands in for AWS, behind an endpoint of its own, with
//! credentials from the environment.

use std::fmt::Write as _;
use std::process::Stdio;

use e2e::{Backend, Gate, Link, TestStack, rows, wait};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::Command;

use crate::desk::{Desk, Ended};

/// A folder whose `baton.toml` names a stack as if it were a deployment, called `prod`.
pub(crate) struct Operator {
    desk: Desk,
    keys: [(&'static str, String); 4],
}

impl Operator {
    /// One who works on the stack at its own endpoint.
    pub(crate) fn of(stack: &TestStack) -> Self {
        Self::with(stack, Some(stack.endpoint()), stack.database_url())
    }

    /// One whose `baton.toml` has this endpoint and this database.
    pub(crate) fn with(stack: &TestStack, endpoint_url: Option<&str>, database_url: &str) -> Self {
        let desk = Desk::new();
        let resources = &stack.resources;
        let mut text = "[targets.prod]\nkind = \"aws\"\nregion = \"ap-northeast-1\"\n".to_owned();
        let url = endpoint_url.map(|url| ("endpoint_url", url));
        let values = [
            ("queue_url", resources.queue_url.as_str()),
            ("dead_letter_queue_url", &resources.dead_letter_queue_url),
            ("import_state_machine_arn", &resources.import_state_machine_arn),
            ("dead_letter_state_machine_arn", &resources.dead_letter_state_machine_arn),
            ("bucket", &resources.bucket),
            ("cluster_arn", &resources.cluster_arn),
            ("worker_log_group", &resources.worker_log_group),
            ("database_url_env", "PROD_DATABASE_URL"),
        ];
        for (key, value) in values.into_iter().chain(url) {
            writeln!(text, "{key} = {value:?}").unwrap();
        }
        desk.file("baton.toml", text);
        let keys = stack.credentials();
        let keys = [
            ("AWS_ACCESS_KEY_ID", keys.access_key.clone()),
            ("AWS_SECRET_ACCESS_KEY", keys.secret_key.clone()),
            ("AWS_CONFIG_FILE", "/dev/null".to_owned()),
            ("PROD_DATABASE_URL", database_url.to_owned()),
        ];
        Self { desk, keys }
    }

    /// Runs `baton` on the deployment.
    pub(crate) async fn baton(&self, arguments: &[&str]) -> Ended {
        self.baton_where(&[], arguments).await
    }

    /// The same with more variables in the environment.
    async fn baton_where(&self, variables: &[(&str, &str)], arguments: &[&str]) -> Ended {
        let mut command = self.command(arguments);
        command.envs(variables.iter().copied());
        Ended::of(command.output().await.unwrap())
    }

    /// `baton` on the deployment, not run yet.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.desk.command(&[&["--target", "prod"], arguments].concat());
        command.envs(self.keys.clone());
        command
    }
}

const WHERE: &str = "target: prod, AWS account 000000000000 in ap-northeast-1, at http://127.0.0.1:";

#[tokio::test(flavor = "multi_thread")]
async fn a_deployment_is_worked_on_as_the_embedded_stack_is() {
    let stack = TestStack::start(Backend::Postgres).await;
    let operator = Operator::of(&stack);
    let file = operator.desk.file("people.csv", "id,name\n1,a\n2,b\n").display().to_string();
    let letters = async || stack.messages(&stack.resources.dead_letter_queue_url).await;
    for (id, before) in [("prod-1", 0), ("prod-2", 1)] {
        let sent = operator.baton(&["submit", &file, "--table", "people", "--id", id]).await;
        sent.expect(0, &[id]).complains(0, &[WHERE]);
        wait::until("the message to be dead-lettered", letters, |count| *count > before).await;
    }

    let listed = operator.baton(&["imports"]).await;
    listed.expect(0, &["prod-1", "prod-2", "Import.TableMissing"]);
    assert_eq!(listed.stderr, "", "who only looks is told nothing");
    // What is suggested works on the same system.
    let shown = operator.baton(&["show", "prod-1"]).await;
    shown.expect(0, &["FAILED", "Import.TableMissing", "put into the dead-letter queue"]);
    operator.baton(&["rejects", "prod-1"]).await.complains(0, &["no row was rejected"]);
    let listed = operator.baton(&["dlq", "list", "--json"]).await.expect(0, &[]).json();
    assert_eq!(listed.as_array().map(Vec::len), Some(2), "{listed}");

    let again = operator.baton(&["redrive", "prod-1"]).await;
    again.expect(1, &["FAILED again", "redrive prod-1 --target prod"]).complains(1, &[WHERE]);
    stack.create_people();
    operator.baton(&["redrive", "prod-1"]).await.expect(0, &["prod-1: SUCCEEDED, 2 rows"]);
    assert_eq!(stack.count("people"), 2);
    let moved = operator.baton(&["dlq", "redrive", "prod-2"]).await;
    moved.complains(0, &[WHERE]);
    wait::until("the dead letter to be gone", letters, |count| *count == 0).await;
    // Its rows are there already.
    wait::until("the dead letter of the second run", letters, |count| *count == 1).await;
    let dropped = operator.baton(&["dlq", "drop", "prod-2", "--yes"]).await;
    dropped.expect(0, &["dropped"]).complains(0, &[WHERE]);
    stack.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_verb_that_runs_an_embedded_stack_says_so_of_a_deployment() {
    let stack = TestStack::start_at_rest(Backend::Sqlite).await;
    let operator = Operator::of(&stack);
    let file = operator.desk.file("a.csv", "id\n1\n").display().to_string();
    let verbs: [&[&str]; 2] = [&["up"], &["run", &file, "--table", "people"]];
    for verb in verbs {
        operator.baton(verb).await.complains(2, &["the target prod is a deployment", "baton submit"]);
    }
    assert!(!operator.desk.path().join(".baton").exists(), "no stack has begun");
    stack.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_exported_for_the_embedded_stack_does_not_take_a_deployments_requests() {
    let stack = TestStack::start_at_rest(Backend::Sqlite).await;
    let operator = Operator::with(&stack, None, stack.database_url());
    let exported = [("AWS_ENDPOINT_URL", stack.endpoint())];
    let refused = operator.baton_where(&exported, &["dlq", "list"]).await;
    refused.complains(2, &[stack.endpoint(), "prod has no endpoint_url", "unset AWS_ENDPOINT_URL"]);
    stack.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_url_for_the_laptop_is_not_taken_for_a_deployments() {
    let stack = TestStack::start_at_rest(Backend::Sqlite).await;
    let operator = Operator::of(&stack);
    let laptop = [("DATABASE_URL", "sqlite:laptop.db")];
    operator.baton_where(&laptop, &["imports"]).await.complains(0, &["no imports yet"]);
    assert!(!operator.desk.path().join("laptop.db").exists());
    stack.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deployments_tables_are_brought_up_to_date_by_migrate_alone() {
    let stack = TestStack::start_at_rest(Backend::Sqlite).await;
    let elsewhere = tempfile::tempdir().unwrap();
    let operator =
        Operator::with(&stack, Some(stack.endpoint()), &Backend::Postgres.new_database(elsewhere.path()));
    operator.baton(&["imports"]).await.complains(2, &["missing, or of an older version", "baton migrate"]);
    for _ in 0..2 {
        let check = operator.baton(&["migrate", "--check"]).await;
        check.expect(1, &["0001_jobs  missing"]);
    }
    let doctor = operator.baton(&["doctor", "--json"]).await.expect(1, &[]).json();
    let checks = doctor["checks"].as_array().unwrap();
    let database = checks.iter().find(|check| check["check"] == "database").unwrap();
    assert_eq!(database["status"], "fail");
    assert!(database["advice"].as_str().unwrap().ends_with("baton migrate --target prod"), "{database}");

    let migrated = operator.baton(&["migrate", "--json"]).await;
    migrated.complains(0, &[WHERE]);
    let migrated = migrated.json();
    assert_eq!(migrated["applied"][0], "0001_jobs", "{migrated}");
    assert!(migrated["database"].as_str().unwrap().starts_with("postgres "), "{migrated}");
    let again = operator.baton(&["migrate"]).await;
    again.complains(0, &["are up to date"]);
    assert_eq!(again.stdout, "");
    operator.baton(&["migrate", "--check"]).await.complains(0, &["are up to date"]);
    operator.baton(&["imports"]).await.complains(0, &["no imports yet"]);
    stack.audit().await;
}

#[tokio::test]
async fn a_check_of_the_migrations_makes_neither_a_folder_nor_a_file() {
    let desk = Desk::new();
    let made = || desk.path().read_dir().unwrap().map(|entry| entry.unwrap().file_name()).collect::<Vec<_>>();
    let before = made();
    desk.baton(&["migrate", "--check"]).await.expect(1, &["0001_jobs  missing"]);
    desk.baton(&["migrate", "--check", "--database-url", "sqlite:new.db"]).await.expect(1, &["missing"]);
    assert_eq!(made(), before);
    desk.baton(&["migrate"]).await.expect(0, &["0001_jobs  applied"]);
    desk.baton(&["migrate", "--check"]).await.complains(0, &["are up to date"]);
}

#[tokio::test]
async fn a_local_target_is_the_folder_that_the_file_names() {
    let desk = Desk::new();
    let targets = "default = \"one\"\n[targets.one]\nkind = \"local\"\ndata_dir = \"first\"\n\
                   [targets.two]\nkind = \"local\"\ndata_dir = \"second\"\n";
    desk.file("baton.toml", targets);
    let ran = desk.run("a-1", "id\n1\n", &["--create-table"]).await;
    ran.expect(0, &["show a-1\n"]).complains(0, &["target: one, the embedded stack in first"]);
    let ran = desk.run("b-1", "id\n1\n", &["--create-table", "--target", "two"]).await;
    ran.expect(0, &["show b-1 --target two"]).complains(0, &["target: two, the embedded stack in second"]);
    let ids = async |arguments: &[&str]| {
        let listed = desk.baton(&[&["imports", "--json"], arguments].concat()).await.json();
        let ids = listed.as_array().unwrap().iter().map(|import| import["id"].clone());
        Value::from(ids.collect::<Vec<_>>())
    };
    assert_eq!(ids(&[]).await, serde_json::json!(["a-1"]));
    assert_eq!(ids(&["--data-dir", "second"]).await, serde_json::json!(["b-1"]));
    desk.baton(&["imports", "--target", "tow"]).await.complains(2, &["no target \"tow\"", "is it \"two\"?"]);
    let both = desk.baton(&["imports", "--target", "one", "--data-dir", "second"]).await;
    both.complains(2, &["--target and --data-dir name two systems"]);
}

#[tokio::test]
async fn a_configuration_that_is_wrong_is_said_by_every_verb_and_examined_by_the_doctor() {
    let desk = Desk::new();
    desk.file(
        "baton.toml",
        "[targets.prod]\nkind = \"local\"\ndata_dri = \"x\"\ndatabase_url = \"postgres://u:hunter2@h/d\"",
    );
    for verb in [&["imports"][..], &["migrate"], &["dlq", "list"]] {
        let ended = desk.baton(verb).await;
        ended.complains(
            2,
            &["targets.prod.data_dir is missing", "targets.prod.data_dri; is it \"data_dir\"?"],
        );
        assert!(!ended.stderr.contains("hunter2"), "{ended:#?}");
    }
    let examined = desk.baton(&["doctor", "--json"]).await.expect(1, &[]).json();
    assert_eq!(examined["target"], Value::Null);
    assert_eq!(examined["checks"][0]["check"], "configuration");
    assert_eq!(examined["checks"][0]["status"], "fail");
    desk.baton(&["completions", "bash"]).await.expect(0, &["_baton()"]);
}

#[tokio::test]
async fn completions_are_printed_for_every_shell() {
    let desk = Desk::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        desk.baton(&["completions", shell]).await.expect(0, &["redrive", "no-wait"]);
    }
    desk.baton(&["completions", "csh"]).await.complains(2, &["csh", "bash"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_is_away_when_an_import_ends_is_waited_for() {
    let gate = Gate::shut();
    let stack = TestStack::with(Backend::Postgres).config(|config| gate.before(config)).start().await;
    stack.create_people();
    let (login, place) = stack.database_url().rsplit_once('@').unwrap();
    let (server, name) = place.split_once('/').unwrap();
    let link = Link::to(server.parse().unwrap());
    let url = format!("{login}@{}/{name}", link.address());
    let operator = Operator::with(&stack, Some(stack.endpoint()), &url);
    let file = operator.desk.file("people.csv", "id,name\n1,a\n2,b\n").display().to_string();
    let submit = ["submit", &file, "--table", "people", "--id", "away", "--follow"];
    let mut following = operator.command(&submit);
    let mut following = following.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let begun = async || {
        let machine = &stack.resources.import_state_machine_arn;
        let listed = stack.sfn.list_executions().state_machine_arn(machine).send().await.unwrap();
        listed.executions.len()
    };
    wait::until("its execution to begin", begun, |executions| *executions == 1).await;
    link.refuse().await;
    link.cut();
    gate.open();
    let mut said = BufReader::new(following.stderr.take().unwrap()).lines();
    while let Some(line) = said.next_line().await.unwrap() {
        if line.contains("waiting for the database") {
            break;
        }
    }
    let status = "SELECT count(*) AS value FROM \"baton_jobs\" WHERE status = 'SUCCESS'";
    assert_eq!(rows::number(&stack.database, status), 1, "the import had ended by then");
    link.accept();
    Ended::of(following.wait_with_output().await.unwrap())
        .expect(0, &["imported people.csv in ", "rows      2"]);
    stack.audit().await;
}
