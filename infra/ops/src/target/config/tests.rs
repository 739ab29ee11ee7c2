use super::*;

const DEPLOYMENT: &str = r#"
[targets.prod]
kind = "aws"
region = "ap-northeast-1"
profile = "operator"
queue_url = "https://sqs.ap-northeast-1.amazonaws.com/123456789012/imports"
dead_letter_queue_url = "https://sqs.ap-northeast-1.amazonaws.com/123456789012/imports-dead-letter"
import_state_machine_arn = "arn:aws:states:ap-northeast-1:123456789012:stateMachine:import"
dead_letter_state_machine_arn = "arn:aws:states:ap-northeast-1:123456789012:stateMachine:dead-letter"
bucket = "imports"
cluster_arn = "arn:aws:ecs:ap-northeast-1:123456789012:cluster/imports"
worker_log_group = "/ecs/import-worker"
database_url_env = "PROD_DATABASE_URL"
"#;

fn read(text: &str) -> Result<Config, String> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(FILE);
    std::fs::write(&path, text).unwrap();
    Config::read(&path).map_err(|error| error.to_string())
}

fn refused(text: &str) -> String {
    read(text).unwrap_err()
}

#[test]
fn a_file_names_folders_and_deployments() {
    let text = format!(
        "default = \"laptop\"\n[targets.laptop]\nkind = \"local\"\ndata_dir = \"stack\"\n{DEPLOYMENT}"
    );
    let config = read(&text).unwrap();
    assert_eq!(config.default.as_deref(), Some("laptop"));
    let Configured::Local { data_dir, database } = config.target("laptop").unwrap() else { panic!() };
    assert_eq!(*data_dir, config.path.with_file_name("stack"), "beside the file");
    assert_eq!(*database, None);
    let Configured::Aws(prod) = config.target("prod").unwrap() else { panic!() };
    assert_eq!(prod.resources.bucket, "imports");
    assert_eq!(prod.profile.as_deref(), Some("operator"));
    assert_eq!(prod.database, DatabaseUrl::InVariable("PROD_DATABASE_URL".to_owned()));
    let unknown = config.target("prd").unwrap_err().to_string();
    assert!(unknown.contains("is it \"prod\"?"), "{unknown}");
}

#[test]
fn a_file_of_sqlite_is_named_beside_the_file_wherever_the_command_is_typed() {
    let url = |written: &str| {
        let text = format!("[targets.a]\nkind = \"local\"\ndata_dir = \"d\"\ndatabase_url = \"{written}\"\n");
        let config = read(&text).unwrap();
        let Configured::Local { database, .. } = config.target("a").unwrap() else { panic!() };
        let folder = format!("{}/", config.path.parent().unwrap().display());
        database.as_ref().unwrap().reveal("a").unwrap().replace(&folder, "FOLDER/")
    };
    assert_eq!(url("sqlite:b.db"), "sqlite:FOLDER/b.db");
    assert_eq!(url("sqlite://c/b.db"), "sqlite:FOLDER/c/b.db");
    for absolute in ["sqlite:/b.db", "sqlite:///b.db"] {
        assert_eq!(url(absolute), "sqlite:/b.db");
    }
    assert_eq!(url("postgres://u@h/b"), "postgres://u@h/b");
}

#[test]
fn a_deployment_without_lanes_may_name_an_empty_queue_of_them() {
    let with = |line: &str| DEPLOYMENT.replace("bucket =", &format!("{line}\nbucket ="));
    let lanes = |text: &str| {
        let config = read(text).unwrap();
        let Configured::Aws(prod) = config.target("prod").unwrap() else { panic!() };
        prod.resources.clone()
    };
    let without = lanes(&with("lane_queue_url = \"\""));
    assert_eq!(
        (without.lane_queue_url.as_deref(), without.import_queue_url()),
        (None, without.queue_url.as_str())
    );
    let url = "https://sqs.ap-northeast-1.amazonaws.com/123456789012/lanes.fifo";
    assert_eq!(lanes(&with(&format!("lane_queue_url = \"{url}\""))).import_queue_url(), url);
    assert!(refused(&with("lane_queue_url = \"lanes.fifo\"")).contains("lane_queue_url is no URL"));
}

#[test]
fn a_misspelt_key_is_answered_with_the_nearest() {
    let said = refused(&DEPLOYMENT.replace("profile =", "profil ="));
    assert!(said.contains("there is no key targets.prod.profil; is it \"profile\"?"), "{said}");
    let said = refused("defualt = \"prod\"");
    assert!(said.contains("there is no key defualt; is it \"default\"?"), "{said}");
    let said = refused(&format!("default = \"prd\"\n{DEPLOYMENT}"));
    assert!(said.contains("no target \"prd\"; is it \"prod\"?"), "{said}");
}

#[test]
fn every_problem_of_a_file_is_told_at_once() {
    let text = DEPLOYMENT
        .replace("bucket = \"imports\"", "bucket = 7")
        .replace("ap-northeast-1:123456789012:stateMachine:dead", "eu-west-1:123456789012:stateMachine:dead")
        .replace("https://sqs.ap-northeast-1.amazonaws.com/123456789012/imports\"", "imports\"")
        .replace("arn:aws:ecs:ap-northeast-1:123456789012:cluster/imports", "imports")
        .replace(
            "region = \"ap-northeast-1\"\n",
            "region = \"ap-northeast-1\"\ndatabase_url = \"sqlite:x\"\n",
        );
    let said = refused(&text);
    for words in [
        "targets.prod.bucket is no text",
        "dead_letter_state_machine_arn is in eu-west-1, and region says otherwise",
        "queue_url is no URL",
        "cluster_arn is no ARN like arn:aws:ecs:REGION:ACCOUNT:cluster/NAME",
        "database_url_env contradicts database_url",
    ] {
        assert!(said.contains(words), "{words:?} is missing in {said}");
    }
    let said = refused("[targets.prod]\nkind = \"aws\"");
    for key in ["region", "queue_url", "bucket", "cluster_arn", "worker_log_group", "database_url"] {
        assert!(said.contains(&format!("targets.prod.{key} is missing")), "{key} is missing in {said}");
    }
    assert!(refused("[targets.a]\nkind = \"gcp\"").contains("neither \"local\" nor \"aws\""));
    assert!(refused("[targets]\na = 1").contains("write [targets.a]"));
}

#[test]
fn an_error_of_the_file_repeats_no_value() {
    for text in [
        "[targets.a]\nkind = \"local\"\ndata_dir = \"d\"\ndatabase_url = \"postgres://u:hunter2@h/d",
        "[targets.a]\nkind = \"local\"\ndata_dir = \"d\"\ndatabase_url = postgres://u:hunter2@h/d",
        "[targets.a]\ndatabase_url = \"a\"\ndatabase_url = \"hunter2\"",
        "[targets.a]\nkind = \"hunter2\"",
        "[targets.a]\nkind = \"aws\"\ndatabase_url = \"hunter2\"",
        "hunter2",
    ] {
        let said = refused(text);
        let names_the_key = text == "hunter2";
        assert!(names_the_key || !said.contains("hunter2"), "{said}");
    }
    let said = refused("[targets.a]\nkind = \"local\"\ndata_dir = d");
    assert!(said.contains("line 3 is no TOML"), "{said}");
    let text = DEPLOYMENT
        .replace("database_url_env = \"PROD_DATABASE_URL\"", "database_url = \"postgres://u:hunter2@h/d\"");
    assert!(!format!("{:?}", read(&text).unwrap()).contains("hunter2"));
}

#[test]
fn the_file_is_found_in_a_folder_above() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join(FILE), DEPLOYMENT).unwrap();
    let below = dir.path().join("a/b");
    std::fs::create_dir_all(&below).unwrap();
    assert_eq!(Config::find(&below).unwrap().unwrap().path, dir.path().join(FILE));
}
