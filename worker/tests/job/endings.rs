//! How an import ends: what is in the row, what is reported, and with which exit code.

use std::future::pending;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;
use statemachine::{ExitCode, FailureName, Findings, ImportResult, Outcome, Report};
use tokio::runtime::Handle;
use tracing::Instrument as _;
use worker::config::{AllowedTables, Config};
use worker::db::Database;
use worker::failure::Failure;
use worker::import::Summary;
use worker::job::{Patience, span};
use worker::ledger::JobStatus;

use super::fixture::{ANOTHER, Job, OURS, TestDatabase, run};
use super::heartbeats::load_one;
use crate::step_functions::{Answer, Call, StepFunctions};

async fn run_with<W>(config: &Config, server: &StepFunctions, work: W) -> ExitCode
where
    W: FnOnce(&Job, &Database) -> Result<Summary, Failure> + Send + 'static,
{
    run(config, server.client(), Patience::default(), pending(), work).await
}

/// What the row says that the import came to.
fn result_in(test: &TestDatabase) -> Value {
    serde_json::from_str(&test.job().result.unwrap()).unwrap()
}

fn must_not_begin(_: &Job, _: &Database) -> Result<Summary, Failure> {
    panic!("the work began");
}

fn output(server: &StepFunctions) -> Report {
    let reports = server.reports();
    assert_eq!((reports.len(), reports[0].operation.as_str()), (1, "SendTaskSuccess"));
    serde_json::from_str(reports[0].body["output"].as_str().unwrap()).unwrap()
}

/// Error and cause of the one failure that was reported.
fn failure(server: &StepFunctions) -> (String, String) {
    let reports = server.reports();
    assert_eq!((reports.len(), reports[0].operation.as_str()), (1, "SendTaskFailure"));
    let text = |name: &str| reports[0].body[name].as_str().unwrap().to_owned();
    (text("error"), text("cause"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_committed_import_is_reported_as_it_stands_in_its_row() {
    for test in TestDatabase::both() {
        test.register();
        let server = StepFunctions::start().await;
        assert_eq!(run_with(&test.config(&[]), &server, load_one).await, ExitCode::Reported);
        let (report, row) = (output(&server), test.row());
        assert_eq!((report.outcome, &report.result["rows"], report.attempt), (Outcome::Done, &1.into(), 1));
        assert_eq!(result_in(&test), report.result);
        assert_eq!(
            (row.status, row.rows_done, row.bytes_done, row.lease_expires_at),
            (JobStatus::Success, 1, 4, None)
        );
        assert_eq!(test.people(), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_is_in_its_row_before_it_is_reported() {
    for test in TestDatabase::both() {
        test.register();
        let seen = Arc::new(Mutex::new(None));
        let server = StepFunctions::answering({
            let (database, seen) = (test.database.clone(), seen.clone());
            move |call, _| {
                if call.operation == "SendTaskFailure" {
                    let id = "a".parse().unwrap();
                    let row = worker::imports::find(&mut database.connect().unwrap(), &id).unwrap();
                    *seen.lock().unwrap() = row;
                }
                Answer::Taken
            }
        })
        .await;
        let work = |job: &Job, _: &Database| {
            job.progress.add_rows(12, 3);
            Err(Failure::named(FailureName::TooManyRejects, "3 rows rejected,\n0 allowed"))
        };
        assert_eq!(run_with(&test.config(&[]), &server, work).await, ExitCode::FailureReported);
        let reported = failure(&server);
        assert_eq!(reported, ("Import.TooManyRejects".to_owned(), "3 rows rejected,\n0 allowed".to_owned()));
        let row = seen.lock().unwrap().take().unwrap();
        assert_eq!((row.status, row.rows_done, row.rejects), (JobStatus::Failure, 12, 3));
        assert_eq!((row.error, row.cause), (Some(reported.0), Some(reported.1)));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_is_repeated_until_step_functions_takes_it() {
    let test = TestDatabase::sqlite();
    test.register();
    let server = StepFunctions::answering(|call, before| match before {
        0 if call.operation == "SendTaskSuccess" => Answer::Unavailable,
        1 if call.operation == "SendTaskSuccess" => Answer::Error("ThrottlingException"),
        _ => Answer::Taken,
    })
    .await;
    assert_eq!(run_with(&test.config(&[]), &server, load_one).await, ExitCode::Reported);
    let reports = server.reports();
    assert_eq!(reports.len(), 3);
    assert!(reports.iter().all(|report| report.body == reports[0].body));
}

/// Takes a report that has little to it, and refuses all others.
fn only_brief(call: &Call, _: usize) -> Answer {
    let text = |field: &str| call.body[field].as_str().unwrap_or_default().to_owned();
    match call.operation.as_str() {
        "SendTaskSuccess" if text("output").len() > 1000 => Answer::Error("InvalidOutput"),
        "SendTaskFailure" if !text("cause").is_ascii() => Answer::Error("ValidationException"),
        _ => Answer::Taken,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_that_is_refused_is_told_in_brief_and_the_execution_ends_as_the_row() {
    let test = TestDatabase::sqlite();
    test.register();
    let server = StepFunctions::answering(only_brief).await;
    let work = |job: &Job, database: &Database| {
        let notes = vec!["a note".repeat(500)];
        job.progress.set_findings(Findings { notes, rows_read: 7, ..Findings::default() });
        load_one(job, database)
    };
    assert_eq!(run_with(&test.config(&[]), &server, work).await, ExitCode::Reported);
    let reports = server.reports();
    let report: Report<ImportResult> =
        serde_json::from_str(reports[1].body["output"].as_str().unwrap()).unwrap();
    let report = report.result;
    assert_eq!((reports.len(), report.rows, report.findings.rows_read), (2, 1, 7));
    assert_eq!((test.row().status, report.findings.notes.len()), (JobStatus::Success, 0));
    assert_eq!(test.row().findings().unwrap().notes.len(), 1, "the row has all of it");

    let test = TestDatabase::sqlite();
    test.register();
    let server = StepFunctions::answering(only_brief).await;
    let work = |_: &Job, _: &Database| Err(Failure::named(FailureName::TooManyRejects, "東京 was rejected"));
    assert_eq!(run_with(&test.config(&[]), &server, work).await, ExitCode::FailureReported);
    let reports = server.reports();
    assert_eq!((reports.len(), &reports[1].body["cause"]), (2, &"?? was rejected".into()));
    assert_eq!(test.row().cause.as_deref(), Some("東京 was rejected"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_that_is_refused_however_brief_is_given_up_at_once() {
    let test = TestDatabase::sqlite();
    test.register();
    let refuse = |call: &Call, _| {
        if call.operation == "SendTaskSuccess" { Answer::Error("InvalidOutput") } else { Answer::Taken }
    };
    let server = StepFunctions::answering(refuse).await;
    assert_eq!(run_with(&test.config(&[]), &server, load_one).await, ExitCode::NotOurs);
    assert_eq!((server.reports().len(), test.row().status), (2, JobStatus::Success));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_that_nobody_takes_does_not_look_like_one_that_was() {
    let test = TestDatabase::sqlite();
    test.register();
    let away = |call: &Call, _| {
        if call.operation == "SendTaskSuccess" { Answer::Unavailable } else { Answer::Taken }
    };
    let server = StepFunctions::answering(away).await;
    let patience = Patience { report: Duration::from_millis(300), ..Patience::default() };
    let code = run(&test.config(&[]), server.client(), patience, pending(), load_one).await;
    assert_eq!((code, test.row().status), (ExitCode::NotOurs, JobStatus::Success));
    // The next attempt of the execution finds the row, does nothing, and reports.
    let server = StepFunctions::start().await;
    assert_eq!(run_with(&test.config(&[]), &server, must_not_begin).await, ExitCode::Reported);
    assert_eq!((output(&server).result, output(&server).attempt), (result_in(&test), 1));
    assert_eq!(test.people(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_that_another_execution_is_at_work_on_is_reported_as_a_duplicate() {
    let test = TestDatabase::sqlite();
    test.register();
    test.claim(ANOTHER);
    let server = StepFunctions::start().await;
    let config = test.config(&[]);
    // The other shows that it lives: it beats, which renews its lease.
    let beat = async {
        while server.calls().is_empty() {
            tokio::task::yield_now().await;
        }
        loop {
            test.execute(
                "UPDATE \"baton_jobs\" SET lease_expires_at = datetime(lease_expires_at, '+1 second')",
            );
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    let code = tokio::select! {
        code = run_with(&config, &server, must_not_begin) => code,
        () = beat => unreachable!("the other beats for ever"),
    };
    assert_eq!(code, ExitCode::Reported);
    assert_eq!(output(&server).outcome, Outcome::Duplicate);
    assert_eq!(test.row().execution_arn.as_deref(), Some(ANOTHER));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_of_a_dead_worker_is_taken_over_when_its_lease_lapses_and_not_given_up_for_it() {
    let test = TestDatabase::sqlite();
    test.register();
    test.claim(ANOTHER);
    test.execute(
        "UPDATE \"baton_jobs\" SET lease_expires_at = strftime('%Y-%m-%d %H:%M:%f', 'now', '+1 second')",
    );
    let server = StepFunctions::start().await;
    assert_eq!(run_with(&test.config(&[]), &server, load_one).await, ExitCode::Reported);
    assert_eq!(output(&server).outcome, Outcome::Done);
    assert_eq!((test.row().attempt, test.people()), (2, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_that_cannot_be_claimed_fails_by_name() {
    let test = TestDatabase::sqlite();
    let server = StepFunctions::start().await;
    assert_eq!(run_with(&test.config(&[]), &server, must_not_begin).await, ExitCode::FailureReported);
    assert_eq!(failure(&server).0, "Import.NotRegistered");

    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let config = test.config(&[("DATABASE_URL", &format!("postgres://u:geheim@127.0.0.1:{free}/sales"))]);
    let server = StepFunctions::start().await;
    assert_eq!(run_with(&config, &server, must_not_begin).await, ExitCode::FailureReported);
    let (error, cause) = failure(&server);
    assert_eq!(error, "Import.DatabaseUnavailable");
    assert!(cause.contains("/sales") && !cause.contains("geheim"), "{cause}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_describes_no_import_fails_and_says_so_in_the_row() {
    let cases = [
        (r#"{"source":"/etc/passwd","table":"people"}"#, "Import.NotRegistered", "s3://bucket/key"),
        (r#"{"source":"s3://b/k.csv"}"#, "Import.NotRegistered", "missing field `table`"),
        (r#"{"source":"s3://b/k.csv","table":"people","tabel":1}"#, "Import.NotRegistered", "tabel"),
        ("people.csv", "Import.NotRegistered", "its input"),
        (
            r#"{"source":"s3://b/k.csv","table":"people","options":{"max_rejectz":1}}"#,
            "Import.OptionsInvalid",
            "max_rejectz",
        ),
    ];
    for (input, name, words) in cases {
        let test = TestDatabase::sqlite();
        test.execute(&format!(
            "INSERT INTO \"baton_jobs\" (id, kind, input) VALUES ('a', 'import', '{input}')"
        ));
        let server = StepFunctions::start().await;
        let (s3, handle) = (
            aws_sdk_s3::Client::from_conf(
                aws_sdk_s3::Config::builder()
                    .behavior_version(aws_sdk_s3::config::BehaviorVersion::latest())
                    .build(),
            ),
            Handle::current(),
        );
        let work = move |job: &Job, database: &Database| {
            let allowed = AllowedTables::parse("*").unwrap();
            worker::import::run(job, database, &allowed, &s3, &handle)
        };
        assert_eq!(run_with(&test.config(&[]), &server, work).await, ExitCode::FailureReported);
        let (error, cause) = failure(&server);
        assert_eq!(error, name);
        assert!(cause.contains(words), "{cause}");
        assert_eq!(test.row().cause, Some(cause));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_is_a_fault_of_the_worker_and_its_message_stays_inside() {
    let test = TestDatabase::sqlite();
    test.register();
    let server = StepFunctions::start().await;
    let work = |_: &Job, _: &Database| panic!("row 7: Ada, geheim");
    assert_eq!(run_with(&test.config(&[]), &server, work).await, ExitCode::FailureReported);
    let (error, cause) = failure(&server);
    assert_eq!(error, "Import.Internal");
    assert!(!cause.contains("geheim") && cause.contains("panic"), "{cause}");
    assert_eq!(test.row().error.as_deref(), Some("Import.Internal"));
}

#[tokio::test(flavor = "multi_thread")]
async fn work_that_ends_well_without_a_commit_is_a_fault_of_the_worker() {
    let test = TestDatabase::sqlite();
    test.register();
    let server = StepFunctions::start().await;
    let work = |_: &Job, _: &Database| Ok(Summary::default());
    assert_eq!(run_with(&test.config(&[]), &server, work).await, ExitCode::FailureReported);
    assert_eq!(failure(&server).0, "Import.Internal");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_whose_answer_was_lost_is_still_a_success() {
    let test = TestDatabase::sqlite();
    test.register();
    let server = StepFunctions::start().await;
    let work = |job: &Job, database: &Database| {
        load_one(job, database)?;
        Err(Failure::named(FailureName::DatabaseUnavailable, "the connection broke at COMMIT"))
    };
    assert_eq!(run_with(&test.config(&[]), &server, work).await, ExitCode::Reported);
    assert_eq!((output(&server).outcome, test.people()), (Outcome::Done, 1));
    assert_eq!(test.row().execution_arn.as_deref(), Some(OURS));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_of_a_failing_import_holds_no_token() {
    let test = TestDatabase::sqlite();
    test.register();
    let server = StepFunctions::answering(|_, _| Answer::Error("InvalidToken")).await;
    let log = Arc::new(Mutex::new(Vec::new()));
    let writer = {
        let log = log.clone();
        move || Log(log.clone())
    };
    let subscriber = tracing_subscriber::fmt()
        .with_ansi(false)
        .with_max_level(tracing::Level::INFO)
        .with_writer(writer)
        .finish();
    let _logging = tracing::subscriber::set_default(subscriber);
    let config = test.config(&[]);
    let ended = run_with(&config, &server, must_not_begin)
        .instrument(span(&config.job, &config.import.import_id))
        .await;
    assert_eq!(ended, ExitCode::NotOurs);
    let log = String::from_utf8(log.lock().unwrap().clone()).unwrap();
    assert!(log.contains(&format!("import{{import_id=\"a\" execution=\"{OURS}\"}}")), "{log}");
    assert!(log.contains("InvalidToken") && !log.contains("the-token"), "{log}");
}

#[derive(Clone)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
