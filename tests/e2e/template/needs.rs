//! What each role needs, derived from those that use it: the operations that the sources of the binaries call, the states of
//! the definitions, and what AWS's services do for the resources of the template.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;
use statemachine::{DEAD_LETTER_DEFINITION, IMPORT_DEFINITION};

use super::Template;
use super::grants::{Permission, Permissions, shown};
use crate::workspace::{metadata, top};

/// Everything that the roles of the template must be allowed, by the id of the role.
pub(super) fn needs(template: &Template) -> Permissions {
    let mut needs = Permissions::new();
    let mut add = |role: &Value, permissions: Vec<Permission>| {
        let role =
            role["Fn::GetAtt"][0].as_str().unwrap_or_else(|| panic!("no role of the template: {role}"));
        needs.entry(role.to_owned()).or_default().extend(permissions);
    };
    let (_, function) = template.only("AWS::Lambda::Function");
    let (_, mapping) = template.only("AWS::Lambda::EventSourceMapping");
    add(&function["Role"], of_the_function(function, mapping));

    for (id, definition) in
        [("ImportStateMachine", IMPORT_DEFINITION), ("DeadLetterStateMachine", DEAD_LETTER_DEFINITION)]
    {
        let machine = &template.transformed["Resources"][id]["Properties"];
        add(&machine["RoleArn"], of_a_machine(id, machine, definition, template));
    }
    let (_, task) = template.only("AWS::ECS::TaskDefinition");
    add(&task["TaskRoleArn"], of_the_worker());
    add(&task["ExecutionRoleArn"], to_start(task, template));
    for (_, rule) in template.of_type("AWS::Events::Rule") {
        for target in rule["Targets"].as_array().unwrap() {
            let machine = target["Arn"]["Ref"].as_str().unwrap();
            add(&target["RoleArn"], vec![on("states:StartExecution", machine)]);
        }
    }
    needs
}

fn on(action: &str, resource: &str) -> Permission {
    (action.to_owned(), resource.to_owned())
}

fn all(actions: &[&str], resource: &str) -> Vec<Permission> {
    actions.iter().map(|action| on(action, resource)).collect()
}

/// The executions of a machine, whose ARNs have its name.
fn executions(machine: &str) -> String {
    format!("execution:${{{machine}.Name}}:*")
}

fn of_the_function(function: &Value, mapping: &Value) -> Vec<Permission> {
    let mut needs = Vec::new();
    for operation in operations("lambdas/start-import") {
        needs.extend(match operation.as_str() {
            "sfn start_execution" => vec![on("states:StartExecution", "ImportStateMachine")],
            "sfn describe_execution" => ["ImportStateMachine", "DeadLetterStateMachine"]
                .map(|machine| on("states:DescribeExecution", &executions(machine)))
                .into(),
            "sqs change_message_visibility" => vec![on("sqs:ChangeMessageVisibility", "ImportQueue")],
            other => panic!("start-import calls {other}: which permissions does that need, on what?"),
        });
    }
    // Lambda polls with the function's role. Source: "Using Lambda with Amazon SQS", execution role permissions.
    let poller = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"];
    needs.extend(all(&poller, &shown(&mapping["EventSourceArn"])));
    needs.extend(to_log(&function["LoggingConfig"]["LogGroup"]));
    if function["TracingConfig"]["Mode"] == "Active" {
        needs.extend(all(&["xray:PutTraceSegments", "xray:PutTelemetryRecords"], "*"));
    }
    needs
}

fn to_log(group: &Value) -> Vec<Permission> {
    all(&["logs:CreateLogStream", "logs:PutLogEvents"], &shown(group))
}

fn of_the_worker() -> Vec<Permission> {
    let mut needs = Vec::new();
    let in_prefixes = |actions: &[&str], ending: &str| -> Vec<Permission> {
        let prefixes = ["imports", "uploads"].map(|prefix| format!("Bucket/{prefix}/{ending}"));
        prefixes.iter().flat_map(|resource| all(actions, resource)).collect()
    };
    for operation in operations("worker") {
        needs.extend(match operation.as_str() {
            "sfn send_task_heartbeat" => vec![on("states:SendTaskHeartbeat", "*")],
            "sfn send_task_success" => vec![on("states:SendTaskSuccess", "*")],
            "sfn send_task_failure" => vec![on("states:SendTaskFailure", "*")],
            // Of a version, where the message names one. Whether an object is missing S3 tells those alone who may list.
            "s3 get_object" => [
                in_prefixes(&["s3:GetObject", "s3:GetObjectVersion"], "*"),
                vec![on("s3:ListBucket", "Bucket")],
            ]
            .concat(),
            // The rejects file.
            "s3 put_object"
            | "s3 create_multipart_upload"
            | "s3 upload_part"
            | "s3 complete_multipart_upload" => in_prefixes(&["s3:PutObject"], "*.rejects"),
            "s3 abort_multipart_upload" => in_prefixes(&["s3:AbortMultipartUpload"], "*.rejects"),
            other => panic!("the worker calls {other}: which permissions does that need, on what?"),
        });
    }
    // A token for the database is a request that is signed and never sent: no operation shows it.
    if without_tests(&top().join("worker/src")).contains(".name(\"rds-db\")") {
        needs.push(on("rds-db:connect", "dbuser:${DatabaseResourceId}/${DatabaseUser}"));
    }
    needs
}

/// What ECS needs to start the task.
fn to_start(task: &Value, template: &Template) -> Vec<Permission> {
    let mut needs = Vec::new();
    for container in task["ContainerDefinitions"].as_array().unwrap() {
        let image = container["Image"]["Fn::Sub"].as_str().unwrap();
        let (repository, _) = image.strip_prefix("${").unwrap().split_once(".RepositoryUri}:").unwrap();
        needs.push(on("ecr:GetAuthorizationToken", "*"));
        let pull = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"];
        needs.extend(all(&pull, repository));
        if container["LogConfiguration"]["LogDriver"] == "awslogs" {
            needs.extend(to_log(&container["LogConfiguration"]["Options"]["awslogs-group"]));
        }
        for secret in container["Secrets"]["Fn::If"][1].as_array().unwrap() {
            let mut secret = &secret["ValueFrom"];
            secret = secret.get("Fn::If").map_or(secret, |choice| &choice[2]);
            needs.push(on("secretsmanager:GetSecretValue", &shown(secret)));
        }
    }
    if template.source["Parameters"].get("DatabaseSecretKmsKeyArn").is_some() {
        needs.push(on("kms:Decrypt", "DatabaseSecretKmsKeyArn"));
    }
    needs
}

fn of_a_machine(id: &str, machine: &Value, definition: &str, template: &Template) -> Vec<Permission> {
    let definition: Value = serde_json::from_str(definition).unwrap();
    let mut needs = Vec::new();
    for (name, state) in definition["States"].as_object().unwrap() {
        let Some(resource) = state["Resource"].as_str() else { continue };
        let arguments = state["Arguments"].to_string();
        // Where a queue's URL comes from says which queue it is.
        let queue = || {
            if arguments.contains("${DeadLetterQueueUrl}") {
                shown(&machine["DefinitionSubstitutions"]["DeadLetterQueueUrl"])
            } else {
                assert!(arguments.contains("$message.queue_url"), "{id}.{name}: which queue?");
                "ImportQueue".to_owned()
            }
        };
        needs.extend(match resource.strip_prefix("arn:aws:states:::").unwrap() {
            "aws-sdk:sqs:changeMessageVisibility" => vec![on("sqs:ChangeMessageVisibility", &queue())],
            "aws-sdk:sqs:deleteMessage" => vec![on("sqs:DeleteMessage", &queue())],
            "sqs:sendMessage" => vec![on("sqs:SendMessage", &queue())],
            "aws-sdk:sfn:startExecution" => {
                assert!(arguments.contains("$states.context.StateMachine.Id"), "{id}.{name}: which machine?");
                vec![on("states:StartExecution", id)]
            }
            "aws-sdk:sfn:describeExecution" => {
                vec![on("states:DescribeExecution", &executions("ImportStateMachine"))]
            }
            "ecs:runTask.sync" => to_run_a_task(template),
            other => panic!("{id}.{name} calls {other}: which permissions does that need, on what?"),
        });
    }
    if machine["LoggingConfiguration"].is_object() {
        needs.extend(all(&LOG_DELIVERY, "*"));
    }
    if machine["TracingConfiguration"]["Enabled"] == true {
        needs.extend(all(&TRACES_OF_A_MACHINE, "*"));
    }
    needs
}

/// Source: "Using CloudWatch Logs to log execution history in Step Functions". The guide lists `logs:CreateLogStream` and
/// `logs:PutLogEvents` as well; AWS's own CDK grants these eight, since it is the delivery that writes.
const LOG_DELIVERY: [&str; 8] = [
    "logs:CreateLogDelivery",
    "logs:GetLogDelivery",
    "logs:UpdateLogDelivery",
    "logs:DeleteLogDelivery",
    "logs:ListLogDeliveries",
    "logs:PutResourcePolicy",
    "logs:DescribeResourcePolicies",
    "logs:DescribeLogGroups",
];

/// Source: "IAM policies for X-Ray", Step Functions developer guide.
const TRACES_OF_A_MACHINE: [&str; 4] =
    ["xray:PutTraceSegments", "xray:PutTelemetryRecords", "xray:GetSamplingRules", "xray:GetSamplingTargets"];

/// Source: "Run Amazon ECS or Fargate tasks with Step Functions", IAM policies for `.sync`.
fn to_run_a_task(template: &Template) -> Vec<Permission> {
    let (_, task) = template.only("AWS::ECS::TaskDefinition");
    let (cluster, _) = template.only("AWS::ECS::Cluster");
    // Every revision of the family, because executions outlive deployments.
    let family = task["Family"]["Fn::Sub"].as_str().unwrap();
    let mut needs = vec![on("ecs:RunTask", &format!("task-definition/{family}:*"))];
    needs.extend(all(&["ecs:StopTask", "ecs:DescribeTasks"], &format!("task/${{{cluster}}}/*")));
    let managed = "rule/StepFunctionsGetEventsForECSTaskRule";
    needs.extend(all(&["events:PutTargets", "events:PutRule", "events:DescribeRule"], managed));
    for role in ["TaskRoleArn", "ExecutionRoleArn"] {
        needs.push(on("iam:PassRole", &shown(&task[role])));
    }
    needs
}

/// The operations of AWS that the sources of a crate call, as `sfn start_execution`. An operation is what the SDK's crate
/// has a method for on its client, so that none is overlooked.
fn operations(of: &str) -> BTreeSet<String> {
    let metadata = metadata();
    let manifest =
        |package: &Value| Path::new(package["manifest_path"].as_str().unwrap()).parent().unwrap().to_owned();
    let packages = metadata["packages"].as_array().unwrap();
    let folder = top().join(of).canonicalize().unwrap();
    let package = packages.iter().find(|package| manifest(package) == folder).unwrap();
    let sdks = package["dependencies"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|dependency| dependency["name"].as_str().unwrap().strip_prefix("aws-sdk-"));
    let sources = without_tests(&folder.join("src"));
    let mut called = BTreeSet::new();
    for sdk in sdks {
        let name = format!("aws-sdk-{sdk}");
        let sdk_package = packages.iter().find(|package| package["name"] == name.as_str()).unwrap();
        let client = std::fs::read_dir(manifest(sdk_package).join("src/client")).unwrap();
        let known: Vec<_> = client
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
            .map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned())
            .filter(|operation| operation != "customize")
            .collect();
        assert!(known.len() > 10, "{name}: {known:?}");
        let of_sdk = known.iter().filter(|operation| sources.contains(&format!(".{operation}(")));
        called.extend(of_sdk.map(|operation| format!("{sdk} {operation}")));
    }
    called
}

/// The text of all sources below a folder, each up to its tests.
fn without_tests(folder: &Path) -> String {
    let mut text = String::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            text.push_str(&without_tests(&path));
        } else {
            let source = std::fs::read_to_string(&path).unwrap();
            text.push_str(source.split("#[cfg(test)]\nmod tests {").next().unwrap());
        }
    }
    text
}
