//! The environment that the template gives to the Lambda and the worker is the one that they read, and the values of the
//! definitions are those that they have places for.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use statemachine::{
    DEAD_LETTER_DEFINITION, EXECUTION_ARN, IMPORT, IMPORT_DEFINITION, TASK_TOKEN, TRACE_HEADER,
};
use worker::config::Config;

use super::Template;

/// What a value of the template is in a stack whose parameters all have their defaults.
fn value(of: &Value) -> String {
    if let Some(text) = of["Fn::Sub"].as_str() {
        return text.replace("${AWS::StackName}", "baton");
    }
    let Some(name) = of["Ref"].as_str() else {
        return of.as_str().map_or_else(|| of.to_string(), str::to_owned);
    };
    let default = &Template::read().source["Parameters"][name]["Default"];
    default.as_str().map_or_else(|| default.to_string(), str::to_owned)
}

/// The worker's variables with their values. Those that no template can know are made up.
fn of_the_worker() -> BTreeMap<String, String> {
    let (_, task) = Template::read().only("AWS::ECS::TaskDefinition");
    let container = &task["ContainerDefinitions"][0];
    assert_eq!(container["Name"], "worker", "RunImport overrides the container of that name");
    let mut variables: BTreeMap<_, _> = container["Environment"]
        .as_array()
        .unwrap()
        .iter()
        // One for IAM alone; in a stack of defaults the URL is a secret.
        .filter(|variable| variable.get("Fn::If").is_none())
        .map(|variable| (variable["Name"].as_str().unwrap().to_owned(), value(&variable["Value"])))
        .collect();
    let secrets = &container["Secrets"]["Fn::If"];
    assert_eq!(secrets[0], "DatabaseIsBySecret");
    let secrets = secrets[1].as_array().unwrap().iter();
    let secrets: Vec<_> = secrets.map(|secret| secret["Name"].as_str().unwrap()).collect();
    assert_eq!(secrets, ["DATABASE_URL"]);
    for (name, value) in [
        (
            "DATABASE_URL",
            "postgres://baton:secret@db:5432/sales?sslmode=verify-full&sslrootcert=/etc/baton/rds.pem",
        ),
        ("ALLOWED_TABLES", "people"),
        (TASK_TOKEN, "AAAAtoken"),
        (EXECUTION_ARN, "arn:aws:states:ap-northeast-1:123456789012:execution:import:a"),
        (IMPORT, r#"{"import_id": "a"}"#),
        (TRACE_HEADER, "Root=1-5759e988-bd862e3fe1be46a994272793"),
    ] {
        variables.insert(name.to_owned(), value.to_owned());
    }
    variables
}

#[test]
fn the_worker_can_be_configured_by_what_the_template_sets_and_reads_all_of_it() {
    let variables = of_the_worker();
    let asked = RefCell::new(BTreeSet::new());
    let config = Config::from_lookup(|name| {
        asked.borrow_mut().insert(name.to_owned());
        variables.get(name).map(Into::into)
    });
    config.unwrap();
    let asked = asked.into_inner();
    // AWS_REGION is read by AWS's SDKs.
    let is_read = |name: &str| name == "AWS_REGION" || asked.contains(name);
    let unread: Vec<_> = variables.keys().filter(|name| !is_read(name)).collect();
    assert!(unread.is_empty(), "the worker does not read {unread:?}");
}

#[test]
fn the_lambdas_get_the_variables_that_they_read() {
    let asked = RefCell::new(BTreeSet::new());
    let lookup = |name: &str| {
        asked.borrow_mut().insert(name.to_owned());
        None
    };
    let functions: [(&str, &dyn Fn()); 2] = [
        ("StartImportFunction", &|| drop(start_import::config::Config::from_lookup(&lookup))),
        ("AssignLaneFunction", &|| drop(assign_lane::config::Config::from_lookup(&lookup))),
    ];
    for (id, read) in functions {
        read();
        let function = &Template::read().transformed["Resources"][id]["Properties"];
        let set: BTreeSet<_> =
            function["Environment"]["Variables"].as_object().unwrap().keys().map(String::as_str).collect();
        let asked = asked.take();
        assert_eq!(set, asked.iter().map(String::as_str).collect(), "{id}");
    }
}

#[test]
fn with_iam_the_worker_gets_a_url_that_does_for_tokens_and_no_secret() {
    let (_, task) = Template::read().only("AWS::ECS::TaskDefinition");
    let container = &task["ContainerDefinitions"][0];
    assert_eq!(container["Secrets"]["Fn::If"][2], serde_json::json!({"Ref": "AWS::NoValue"}));
    let mut by_iam = container["Environment"].as_array().unwrap().iter().filter_map(|one| one.get("Fn::If"));
    let (choice, None) = (by_iam.next().unwrap(), by_iam.next()) else { panic!("more than one choice") };
    assert_eq!((&choice[0], &choice[1]["Name"]), (&"DatabaseIsByIam".into(), &"DATABASE_URL".into()));
    let mut url = choice[1]["Value"]["Fn::Sub"].as_str().unwrap().to_owned();
    let port = value(&serde_json::json!({"Ref": "DatabasePort"}));
    let host = "baton.c0ffee.eu-west-1.rds.amazonaws.com";
    for (name, value) in [("Host", host), ("Port", &port), ("Name", "sales"), ("User", "baton")] {
        url = url.replace(&format!("${{Database{name}}}"), value);
    }
    let database = worker::db::Database::parse(&url).unwrap().by_iam().unwrap();
    assert_eq!(database.display_name(), format!("postgres {host}:5432/sales"));
}

#[test]
fn the_functions_keep_their_messages_and_have_the_time_for_a_batch() {
    let template = Template::read();
    for (id, mapping) in template.of_type("AWS::Lambda::EventSourceMapping") {
        assert_eq!(mapping["FunctionResponseTypes"], serde_json::json!(["ReportBatchItemFailures"]), "{id}");
    }
    let mapping = &template.transformed["Resources"]["StartImportFunctionMessage"]["Properties"];
    assert_eq!(mapping["BatchSize"]["Fn::If"][0], "StartsFromFifo");
    assert_eq!(mapping["BatchSize"]["Fn::If"][1], 1);
    // The READMEs of the Lambdas ask for 10 s for a batch of 10.
    let timeouts = &template.source["Parameters"]["LambdaTimeoutSeconds"]["AllowedValues"];
    assert!(timeouts.as_array().unwrap().iter().all(|timeout| timeout.as_i64().unwrap() >= 10));
}

#[test]
fn with_a_cap_imports_start_from_the_lanes_and_messages_are_sent_where_they_were() {
    for has_lanes in [false, true] {
        let template = Template::deployed(has_lanes);
        let (queue, dead_letters) =
            if has_lanes { ("LaneQueue", "LaneDeadLetterQueue") } else { ("ImportQueue", "DeadLetterQueue") };
        let of = |id: &str| &template.transformed["Resources"][id]["Properties"];
        assert_eq!(of("StartImportFunctionMessage")["EventSourceArn"]["Fn::GetAtt"][0], queue);
        let variables = &of("StartImportFunction")["Environment"]["Variables"];
        assert_eq!(
            (&variables["QUEUE_URL"]["Ref"], &variables["LANES"]),
            (&queue.into(), &has_lanes.to_string().into())
        );
        assert_eq!(of(queue)["RedrivePolicy"]["deadLetterTargetArn"]["Fn::GetAtt"][0], dead_letters);
        let substitutions = &of("DeadLetterStateMachine")["DefinitionSubstitutions"];
        assert_eq!(substitutions["DeadLetterQueueUrl"]["Ref"], dead_letters);
        assert_eq!(of("DeadLettersAlarm")["Dimensions"][0]["Value"]["Fn::GetAtt"][0], dead_letters);
        assert_eq!(template.source["Outputs"]["QueueUrl"]["Value"]["Ref"], "ImportQueue");
    }
    let template = Template::deployed(true);
    let of = |id: &str| &template.transformed["Resources"][id];
    assert_eq!(
        of("AssignLaneFunctionMessage")["Properties"]["EventSourceArn"]["Fn::GetAtt"][0],
        "ImportQueue"
    );
    let lanes = &of("AssignLaneFunction")["Properties"]["Environment"]["Variables"];
    assert_eq!(lanes["LANE_QUEUE_URL"]["Ref"], "LaneQueue");
    for queue in ["LaneQueue", "LaneDeadLetterQueue"] {
        assert_eq!(of(queue)["Properties"]["FifoQueue"], true, "{queue}");
        assert_eq!(of(queue)["DeletionPolicy"], "Retain", "messages go with no cap that is taken away");
    }
}

/// The places of a definition for values: `${Name}`.
fn places(definition: &str) -> BTreeSet<&str> {
    definition.split("${").skip(1).map(|rest| rest.split_once('}').unwrap().0).collect()
}

#[test]
fn every_place_of_the_definitions_gets_a_value_and_no_value_is_left_over() {
    for (id, definition) in
        [("ImportStateMachine", IMPORT_DEFINITION), ("DeadLetterStateMachine", DEAD_LETTER_DEFINITION)]
    {
        let machine = &Template::read().transformed["Resources"][id]["Properties"];
        let values = machine["DefinitionSubstitutions"].as_object().unwrap();
        assert_eq!(values.keys().map(String::as_str).collect::<BTreeSet<_>>(), places(definition), "{id}");
    }
}

#[test]
fn the_bucket_tells_of_the_files_that_the_contract_imports_and_of_no_rejects_file() {
    let (_, bucket) = Template::read().only("AWS::S3::Bucket");
    let queues = &bucket["NotificationConfiguration"]["QueueConfigurations"]["Fn::If"];
    assert_eq!(queues[0], "IsStandard", "S3 tells no FIFO queue");
    let filters: Vec<_> = queues[1]
        .as_array()
        .unwrap()
        .iter()
        .map(|queue| {
            let rules = queue["Filter"]["S3Key"]["Rules"].as_array().unwrap();
            let value = |name: &str| {
                let rule = rules.iter().find(|rule| rule["Name"] == name).unwrap();
                rule["Value"].as_str().unwrap()
            };
            (value("prefix"), value("suffix"))
        })
        .collect();
    let tells =
        |key: &str| filters.iter().any(|(prefix, suffix)| key.starts_with(prefix) && key.ends_with(suffix));
    for name in ["a.csv", "a.CSV", "2026/a.csv.gz", "A.CSV.GZ", "a.csv.zst", "A.CSV.ZST"] {
        let key = format!("imports/people/{name}");
        assert!(statemachine::is_import_key(&key) && tells(&key), "{key}");
        let rejects = format!("{key}.s3-0123456789abcdef0123456789abcdef.1.rejects");
        assert!(!tells(&rejects), "{rejects}");
    }
    for key in ["uploads/people-1/a.csv", "imports/people/a.txt", "a.csv"] {
        assert!(!tells(key), "{key}");
    }
}
