//! Clients that nobody here wrote: boto3 and the AWS CLI, against the embedded stack.

use std::path::{Path, PathBuf};

use e2e::{Backend, TestStack};
use local_stack::REGION;
use tokio::process::Command;

pub(crate) async fn run(stack: &TestStack, script: &str) {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let python: PathBuf = top.join("target/clients/bin/python");
    assert!(python.is_file(), "{} is missing: `bash tests/run` makes it", python.display());
    let output = Command::new(python)
        // Leaves no compiled files among the sources.
        .arg("-B")
        .arg(top.join("tests/clients").join(script))
        .env("AWS_ENDPOINT_URL", stack.endpoint())
        .env("AWS_REGION", REGION)
        .env("AWS_DEFAULT_REGION", REGION)
        .env("AWS_ACCESS_KEY_ID", &stack.credentials().access_key)
        .env("AWS_SECRET_ACCESS_KEY", &stack.credentials().secret_key)
        .kill_on_drop(true)
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
