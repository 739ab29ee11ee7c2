//! The page for those who deploy, `infra/aws/README.md`, says what is so.

use std::collections::BTreeSet;

use serde_json::json;

use super::{Template, dashboard_metrics, python, read};

const PAGE: &str = "infra/aws/README.md";

#[test]
fn the_page_says_what_the_simulation_of_cost_and_quotas_prints() {
    let output = python("infra/aws/cost.py", &[]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let printed = String::from_utf8(output.stdout).unwrap();
    let tables: Vec<_> = printed.trim_end().split("\n\n").collect();
    assert_eq!(tables.len(), 4, "{printed}");
    let page = read(PAGE);
    for table in tables {
        assert!(page.contains(table), "{PAGE} does not have\n{table}");
    }
}

#[test]
fn the_page_says_what_lanes_cost() {
    let output = python("infra/aws/cost.py", &["--lanes"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let printed = String::from_utf8(output.stdout).unwrap();
    let figures =
        printed.lines().filter(|line| ["| SQS ", "| Lambda "].iter().any(|part| line.starts_with(part)));
    let total = |row: &str| row.trim_end_matches(" |").rsplit_once("| ").unwrap().1.to_owned();
    let figures: Vec<_> = figures.map(total).collect();
    let standing = printed.split("\n\n").nth(1).unwrap().lines().find(|line| line.starts_with("| together "));
    let standing = standing.map(total).unwrap();
    let says = format!(
        "a million imports cost {} USD for SQS and {} for Lambda, and a month without any {}",
        figures[0], figures[1], standing
    );
    let page = read(PAGE).split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(page.contains(&says), "{PAGE} does not say {says:?}");
}

#[test]
fn the_simulation_counts_with_what_the_template_sets() {
    let template = Template::read();
    let default = |name: &str| template.source["Parameters"][name]["Default"].to_string();
    let cost = read("infra/aws/cost.py");
    for (option, parameter) in [("--cpu", "TaskCpu"), ("--memory", "TaskMemory")] {
        let option = format!("\"{option}\", type=int, default={}", default(parameter));
        assert!(cost.contains(&option), "{option}");
    }
    for (constant, value) in [
        ("BATCH", default("BatchSize")),
        ("BEAT_SECONDS", default("HeartbeatIntervalSeconds")),
        ("LAMBDA_GB", format!("{} / 1024", default("LambdaMemoryMegabytes"))),
        (
            "RETENTION_MONTHS",
            (template.source["Parameters"]["ObjectExpirationDays"]["Default"].as_i64().unwrap() / 30)
                .to_string(),
        ),
        ("ALARM_METRICS", alarm_metrics(&Template::deployed(false)).to_string()),
        ("LANE_ALARM_METRICS", {
            let [with, without] = [true, false].map(|has| alarm_metrics(&Template::deployed(has)));
            (with - without).to_string()
        }),
        ("OWN_METRICS", dashboard_metrics().len().to_string()),
    ] {
        let line = format!("\n{constant} = {value}");
        assert!(cost.lines().any(|found| found.split("  #").next() == Some(line.trim())), "{line}");
    }
}

/// CloudWatch counts the metrics that alarms look at, not what is calculated of them.
fn alarm_metrics(template: &Template) -> usize {
    let metrics = |alarm: &serde_json::Value| match alarm["Metrics"].as_array() {
        Some(metrics) => metrics.iter().filter(|metric| metric["MetricStat"].is_object()).count(),
        None => 1,
    };
    template.of_type("AWS::CloudWatch::Alarm").map(|(_, alarm)| metrics(alarm)).sum()
}

#[test]
fn every_parameter_and_every_output_stands_on_the_page_with_its_default() {
    let page = read(PAGE);
    let template = &Template::read().source;
    for (name, parameter) in template["Parameters"].as_object().unwrap() {
        let default = match &parameter["Default"] {
            serde_json::Value::String(text) => text.clone(),
            serde_json::Value::Null => String::new(),
            other => other.to_string(),
        };
        let row = format!("| `{name}` | {default}{}|", if default.is_empty() { "" } else { " " });
        assert!(page.contains(&row), "{PAGE} has no {row:?}");
    }
    for name in template["Outputs"].as_object().unwrap().keys() {
        assert!(page.contains(&format!("`{name}`")), "{PAGE} does not tell of the output {name}");
    }
    let grouped =
        template["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"].as_array().unwrap();
    let grouped = grouped.iter().flat_map(|group| group["Parameters"].as_array().unwrap());
    let grouped: BTreeSet<_> = grouped.map(|name| name.as_str().unwrap()).collect();
    let parameters: BTreeSet<_> =
        template["Parameters"].as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(grouped, parameters, "the console shows every parameter in a group");
}

#[test]
fn every_alarm_and_every_command_of_the_page_is_there() {
    let page = read(PAGE);
    let template = Template::read();
    for (id, _) in template.of_type("AWS::CloudWatch::Alarm") {
        assert!(page.contains(&format!("`{id}`")), "{PAGE} does not tell of {id}");
    }
    // `output Name` in a command is an output of the stack.
    let outputs = template.source["Outputs"].as_object().unwrap();
    let asked: Vec<_> = page.split("$(output ").skip(1).map(|rest| rest.split_once(')').unwrap().0).collect();
    assert!(asked.len() > 5, "{asked:?}");
    for name in asked {
        assert!(outputs.contains_key(name), "there is no output {name}");
    }
}

#[test]
fn the_target_of_the_page_has_the_keys_that_baton_asks_for() {
    let page = read(PAGE);
    let (_, file) = page.split_once("<<END\n").unwrap();
    let (file, _) = file.split_once("\nEND\n").unwrap();
    let file: toml::Table = file.replace("$(output ", "(").parse().unwrap();
    let given: BTreeSet<_> = file["targets"]["aws"].as_table().unwrap().keys().map(String::as_str).collect();
    let readme = read("infra/cli/README.md");
    let row = readme.lines().find(|line| line.contains("| aws: what the deployment is made of |")).unwrap();
    let asked = row.split('`').skip(1).step_by(2).chain(["kind", "lane_queue_url", "database_url_env"]);
    assert_eq!(given, asked.collect());
}

#[test]
fn the_image_is_built_as_the_task_runs_it() {
    let dockerfile = read("worker/Dockerfile");
    let (_, task) = Template::read().only("AWS::ECS::TaskDefinition");
    let container = &task["ContainerDefinitions"][0];
    let toolchain: toml::Table = read("rust-toolchain.toml").parse().unwrap();
    for line in [
        format!("FROM rust:{}-bookworm AS build", toolchain["toolchain"]["channel"].as_str().unwrap()),
        "FROM gcr.io/distroless/cc-debian12:nonroot".to_owned(),
        format!("USER {}", container["User"].as_str().unwrap()),
        "STOPSIGNAL SIGTERM".to_owned(),
        "ENTRYPOINT [\"/worker\"]".to_owned(),
    ] {
        assert!(dockerfile.lines().any(|found| found == line), "the Dockerfile has no line {line:?}");
    }
    assert!(dockerfile.contains("--package worker"));
    assert_eq!(container["ReadonlyRootFilesystem"], true);
    let tmp = json!([{"SourceVolume": "tmp", "ContainerPath": "/tmp"}]);
    assert!(container["MountPoints"] == tmp && dockerfile.contains("VOLUME [\"/tmp\"]"), "{container:#}");
    // The worker has 28 s of them to roll back and to report.
    assert_eq!(container["StopTimeout"], 30);
    // Where the page and the parameter say that RDS's authorities are.
    let place = "/etc/baton/rds.pem";
    assert!(dockerfile.contains(&format!("COPY --from=build /rds.pem {place}")));
    let secret = &Template::read().source["Parameters"]["DatabaseUrlSecretArn"]["Description"];
    assert!(secret.as_str().unwrap().contains(place) && read(PAGE).contains(&format!("sslrootcert={place}")));
}

#[test]
fn every_python_package_of_the_checks_has_an_exact_version() {
    let requirements = [
        read("tests/clients/requirements.txt"),
        read("tests/template/requirements.txt"),
        read("infra/local/tests/states/second_opinion/requirements.txt"),
    ];
    let lines: Vec<_> = requirements.iter().flat_map(|file| file.lines()).collect();
    let packages: Vec<_> = lines.into_iter().filter(|line| !line.starts_with('#')).collect();
    assert!(packages.iter().any(|package| package.starts_with("aws-sam-cli==")), "{packages:?}");
    for package in packages {
        let version = package.split_once("==").unwrap_or_else(|| panic!("{package} has no exact version")).1;
        assert!(version.starts_with(|c: char| c.is_ascii_digit()) && !version.contains('*'), "{package}");
    }
}
