//! Clients that nobody here wrote: boto3 and the AWS CLI, against the embedded stack.

use std::time::{Duration, SystemTime};

use aws_config::Region;
use aws_sdk_sfn::config::Credentials;
use e2e::{Backend, TestStack};
use local_stack::REGION;
use secrecy::ExposeSecret as _;
use tokio::process::Command;
use worker::db::Login;

use crate::workspace::top;

/// A program of `tests/clients`.
fn program(script: &str) -> Command {
    let python = top().join("target/clients/bin/python");
    assert!(python.is_file(), "{} is missing: `bash tests/run` makes it", python.display());
    let mut command = Command::new(python);
    // Leaves no compiled files among the sources.
    command.arg("-B").arg(top().join("tests/clients").join(script)).kill_on_drop(true);
    command
}

pub(crate) async fn run(stack: &TestStack, script: &str) {
    let output = program(script)
        .env("AWS_ENDPOINT_URL", stack.endpoint())
        .env("AWS_REGION", REGION)
        .env("AWS_DEFAULT_REGION", REGION)
        .env("AWS_ACCESS_KEY_ID", &stack.credentials().access_key)
        .env("AWS_SECRET_ACCESS_KEY", &stack.credentials().secret_key)
        .output()
        .await
        .unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{script}:\n{}{}", text(&output.stdout), text(&output.stderr));
}

#[tokio::test(flavor = "multi_thread")]
async fn boto3_uploads_follows_and_inspects_an_import() {
    let stack = TestStack::start(Backend::Sqlite).await;
    stack.create_people();
    run(&stack, "boto3_import.py").await;
    assert_eq!(stack.count("people"), 2);
    stack.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_aws_command_line_uploads_and_inspects_an_import() {
    let stack = TestStack::start(Backend::Sqlite).await;
    stack.create_people();
    run(&stack, "aws_cli_import.py").await;
    assert_eq!(stack.count("people"), 2);
    stack.audit().await;
}

#[tokio::test]
async fn a_token_for_rds_is_to_the_letter_what_boto3_makes() {
    let key = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
    let session = "IQoJb3JpZ2luX2VjEPT//////////wEaDmFwLW5vcnRoZWFzdC0x+/=== &%";
    let host = "baton.c0ffee.ap-northeast-1.rds.amazonaws.com";
    for (seconds, session, region, host, port, user) in [
        (1_795_539_600, Some(session), "ap-northeast-1", host, 5432, "baton"),
        (1_795_539_601, None, "us-east-1", "Baton.Cluster-1.us-east-1.RDS.amazonaws.com", 6000, "ba-to_n.2"),
        (1_830_297_599, Some(session), "eu-west-1", "db", 5432, "a b/c+d@é"),
    ] {
        let login = Login { host: host.to_ascii_lowercase(), port, user: user.to_owned() };
        let credentials = Credentials::new("AKIDEXAMPLE", key, session.map(str::to_owned), None, "test");
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        let ours = login.token(&credentials, &Region::new(region), now).unwrap();
        let output = program("rds_token.py")
            .args([&seconds.to_string(), "AKIDEXAMPLE", key, session.unwrap_or_default(), region])
            .args([login.host.as_str(), &port.to_string(), user])
            .output()
            .await
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        assert_eq!(ours.expose_secret(), String::from_utf8(output.stdout).unwrap().trim_end());
    }
}
