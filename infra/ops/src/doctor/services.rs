//! Each service is asked something cheap: whether it answers, whether it may be asked, and what things are set to.

use std::collections::HashMap;

use aws_sdk_sqs::types::QueueAttributeName;
use serde_json::Value;
use statemachine::{DEAD_LETTER_DEFINITION, IMPORT_DEFINITION};
use worker::db::Database;

use super::check::Check;
use super::settings::Settings;
use super::{definition, refusal};
use crate::target::Target;

/// Asks all of them, and adds to `settings` what they tell.
pub(super) async fn read(target: &Target, settings: &mut Settings) -> Vec<Check> {
    let mut checks = Vec::new();
    // Side by side: where none answers, none is waited for twice.
    let resources = &target.resources;
    let lanes = async {
        let url = resources.lane_queue_url.as_ref()?;
        Some(queue(target, "lanes", url).await)
    };
    let (sent_to, lanes, dead_letters, import, dead_letter, executions, bucket, cluster, logs) = tokio::join!(
        queue(target, "queue", &resources.queue_url),
        lanes,
        queue(target, "dead letters", &resources.dead_letter_queue_url),
        machine(target, "import machine", &resources.import_state_machine_arn, IMPORT_DEFINITION),
        machine(
            target,
            "dead-letter machine",
            &resources.dead_letter_state_machine_arn,
            DEAD_LETTER_DEFINITION
        ),
        executions(target),
        bucket(target),
        cluster(target),
        logs(target),
    );
    // Where there are lanes, it is their queue that imports are started from.
    let (check, attributes) = match lanes {
        Some(lanes) => {
            checks.push(sent_to.0);
            lanes
        }
        None => sent_to,
    };
    checks.push(check);
    settings.queue_is_known = attributes.is_some();
    add_queue(settings, &attributes.unwrap_or_default());
    let (check, attributes) = dead_letters;
    checks.push(check);
    add_dead_letters(settings, &attributes.unwrap_or_default());
    let (check, definition) = import;
    checks.extend([check, dead_letter.0, executions, bucket, cluster]);
    if let Some(definition) = definition {
        settings.hold_s = definition::seconds(&definition, "/States/HoldMessage/Arguments/VisibilityTimeout");
        settings.run_timeout_s = definition::seconds(&definition, "/States/RunImport/TimeoutSeconds");
        settings.heartbeat_s = definition::seconds(&definition, "/States/RunImport/HeartbeatSeconds");
        checks.push(task_definition(target, settings, &definition).await);
    }
    checks.push(logs);
    checks
}

type Attributes = HashMap<QueueAttributeName, String>;

async fn queue(target: &Target, check: &'static str, url: &str) -> (Check, Option<Attributes>) {
    let asked = target.sqs.get_queue_attributes().queue_url(url).attribute_names(QueueAttributeName::All);
    match asked.send().await {
        Ok(answer) => {
            let attributes = answer.attributes.unwrap_or_default();
            let of = |name| attributes.get(&name).map_or("?", String::as_str);
            let visible = of(QueueAttributeName::ApproximateNumberOfMessages);
            let hidden = of(QueueAttributeName::ApproximateNumberOfMessagesNotVisible);
            let says = format!("{url}: {visible} visible, {hidden} hidden");
            (Check::ok(check, says), Some(attributes))
        }
        Err(error) => (refusal::of(check, "sqs:GetQueueAttributes", &format!("queue {url}"), &error), None),
    }
}

fn add_queue(settings: &mut Settings, attributes: &Attributes) {
    let seconds = |name| attributes.get(&name).and_then(|text| text.parse().ok());
    settings.visibility_timeout_s = seconds(QueueAttributeName::VisibilityTimeout);
    settings.retention_s = seconds(QueueAttributeName::MessageRetentionPeriod);
    settings.is_fifo = attributes.get(&QueueAttributeName::FifoQueue).is_some_and(|text| text == "true");
    let policy = attributes.get(&QueueAttributeName::RedrivePolicy);
    let policy: Value = policy.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
    settings.redrive_target_arn = policy["deadLetterTargetArn"].as_str().map(str::to_owned);
    // A number, or a text with one: SQS keeps what it was given.
    let count = &policy["maxReceiveCount"];
    settings.max_receive_count = count.as_f64().or_else(|| count.as_str()?.parse().ok());
}

fn add_dead_letters(settings: &mut Settings, attributes: &Attributes) {
    settings.dead_letter_queue_arn = attributes.get(&QueueAttributeName::QueueArn).cloned();
    let retention = attributes.get(&QueueAttributeName::MessageRetentionPeriod);
    settings.dead_letter_retention_s = retention.and_then(|text| text.parse().ok());
}

/// Whether the machine is there, with the definition of this version; and that definition.
async fn machine(target: &Target, check: &'static str, arn: &str, template: &str) -> (Check, Option<Value>) {
    let described = match target.sfn.describe_state_machine().state_machine_arn(arn).send().await {
        Ok(described) => described,
        Err(error) => {
            return (
                refusal::of(check, "states:DescribeStateMachine", &format!("state machine {arn}"), &error),
                None,
            );
        }
    };
    let checked = match definition::first_difference(template, &described.definition) {
        None => Check::ok(check, format!("{arn}, the definition of this version")),
        Some(place) => {
            let says = format!("{arn} has another definition than this version: it differs at {place}");
            Check::warn(check, says, "deploy the version of this baton, or take the baton of the deployment")
        }
    };
    (checked, serde_json::from_str(&described.definition).ok())
}

async fn executions(target: &Target) -> Check {
    let arn = &target.resources.import_state_machine_arn;
    match target.sfn.list_executions().state_machine_arn(arn).max_results(1).send().await {
        Ok(_) => Check::ok("executions", "can be listed"),
        Err(error) => {
            refusal::of("executions", "states:ListExecutions", &format!("state machine {arn}"), &error)
        }
    }
}

async fn bucket(target: &Target) -> Check {
    let bucket = &target.resources.bucket;
    match target.s3.list_objects_v2().bucket(bucket).max_keys(1).send().await {
        Ok(_) => Check::ok("bucket", bucket),
        Err(error) => refusal::of("bucket", "s3:ListBucket", &format!("bucket {bucket}"), &error),
    }
}

async fn cluster(target: &Target) -> Check {
    let arn = &target.resources.cluster_arn;
    match target.ecs.describe_clusters().clusters(arn).send().await {
        Ok(answer) => {
            let found = answer.clusters.unwrap_or_default();
            let status = found.first().and_then(|cluster| cluster.status.clone());
            match status.as_deref() {
                Some("ACTIVE") => Check::ok("cluster", arn),
                Some(status) => Check::fail("cluster", format!("{arn} is {status}"), "deploy it again"),
                None => Check::fail(
                    "cluster",
                    format!("there is no cluster {arn}"),
                    "correct cluster_arn, or deploy it",
                ),
            }
        }
        Err(error) => refusal::of("cluster", "ecs:DescribeClusters", &format!("cluster {arn}"), &error),
    }
}

async fn logs(target: &Target) -> Check {
    let group = &target.resources.worker_log_group;
    match target.logs.describe_log_streams().log_group_name(group).limit(1).send().await {
        Ok(_) => Check::ok("logs", group),
        Err(error) => refusal::of("logs", "logs:DescribeLogStreams", &format!("log group {group}"), &error),
    }
}

/// The task definition that the deployed machine starts, and the worker's variables in it.
async fn task_definition(target: &Target, settings: &mut Settings, definition: &Value) -> Check {
    const CHECK: &str = "task definition";
    let named = definition.pointer("/States/RunImport/Arguments/TaskDefinition").and_then(Value::as_str);
    let Some(name) = named else {
        return Check::fail(CHECK, "the import machine names none", "deploy the machine of this version");
    };
    let described = match target.ecs.describe_task_definition().task_definition(name).send().await {
        Ok(described) => described.task_definition,
        Err(error) => {
            return refusal::of(
                CHECK,
                "ecs:DescribeTaskDefinition",
                &format!("task definition {name}"),
                &error,
            );
        }
    };
    let containers = described.and_then(|definition| definition.container_definitions).unwrap_or_default();
    let Some(container) = containers.iter().find(|container| container.name.as_deref() == Some("worker"))
    else {
        let says = format!("{name} has no container named worker, whose variables the machine sets");
        return Check::fail(CHECK, says, "name the container worker");
    };
    let environment = container.environment();
    let variable = |name: &str| {
        let found = environment.iter().find(|pair| pair.name.as_deref() == Some(name));
        found.and_then(|pair| pair.value.as_deref()).filter(|value| !value.is_empty())
    };
    let seconds = |name: &str, default: f64| variable(name).map_or(Some(default), |text| text.parse().ok());
    // The worker's own defaults, where nothing is set.
    settings.heartbeat_interval_s = seconds("HEARTBEAT_INTERVAL_SECONDS", 20.0);
    settings.stall_limit_s = seconds("STALL_LIMIT_SECONDS", 60.0);
    settings.lease_s = seconds("LEASE_SECONDS", 300.0);
    let url = variable("DATABASE_URL").and_then(|url| Database::parse(url).ok());
    settings.worker_database = url.map(|database| database.display_name());
    let is_given = |wanted: &str| {
        let secret = container.secrets().iter().any(|secret| secret.name == wanted);
        secret || variable(wanted).is_some()
    };
    match ["DATABASE_URL", "ALLOWED_TABLES"].into_iter().find(|wanted| !is_given(wanted)) {
        Some(missing) => {
            let says = format!("{name} gives the worker no {missing}: it does not start");
            Check::fail(CHECK, says, "set it as a variable or a secret of the container")
        }
        None => Check::ok(CHECK, name),
    }
}
