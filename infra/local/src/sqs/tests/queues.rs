//! Queues: their names, their attributes, and finding them.

use serde_json::json;

use super::{Bench, ENDPOINT, SECOND, T0, keys, text};
use crate::sqs::{QueueAttributes, RedrivePolicy, query_error_code};
use crate::wire::AwsError;

#[test]
fn a_queue_is_found_by_name_and_by_any_url_that_ends_in_its_name() {
    let (bench, url) = Bench::with_queue("imports", json!({}));
    assert_eq!(url, format!("{ENDPOINT}/000000000000/imports"));
    let found = bench.call(T0, "GetQueueUrl", json!({"QueueName": "imports"}));
    assert_eq!(found, json!({"QueueUrl": url}));
    bench.send(T0, "http://localhost:9999/000000000000/imports", "from an earlier run");
    bench.send(T0, "imports", "by name alone");
    assert_eq!(bench.bodies(T0, &url), ["from an earlier run", "by name alone"]);
}

#[test]
fn a_missing_queue_is_named_as_both_protocols_name_it() {
    let bench = Bench::new();
    let error = bench.try_call(T0, "GetQueueUrl", json!({"QueueName": "imports"})).unwrap_err();
    assert_eq!(error.code, "QueueDoesNotExist");
    assert_eq!(query_error_code(&error).as_deref(), Some("AWS.SimpleQueueService.NonExistentQueue;Sender"));
    let other = json!({"QueueName": "imports", "QueueOwnerAWSAccountId": "111111111111"});
    assert_eq!(bench.refusal(T0, "GetQueueUrl", other).0, "QueueDoesNotExist");
    for operation in ["GetQueueAttributes", "PurgeQueue", "ReceiveMessage"] {
        let body = json!({"QueueUrl": format!("{ENDPOINT}/000000000000/imports")});
        assert_eq!(bench.refusal(T0, operation, body).0, "QueueDoesNotExist", "{operation}");
    }
    assert_eq!(query_error_code(&AwsError::internal("")).as_deref(), Some("InternalFailure;Receiver"));
    assert_eq!(query_error_code(&AwsError::not_implemented("sqs", "TagQueue")), None);
}

#[test]
fn creating_a_queue_again_is_allowed_with_the_same_attributes_only() {
    let (bench, url) = Bench::with_queue("imports", json!({"VisibilityTimeout": "60"}));
    assert_eq!(bench.create("imports", json!({"VisibilityTimeout": "60"})), url);
    assert_eq!(bench.create("imports", json!({})), url, "attributes that are not named do not matter");
    let other = json!({"QueueName": "imports", "Attributes": {"VisibilityTimeout": "61"}});
    let (code, message) = bench.refusal(T0, "CreateQueue", other);
    assert_eq!(code, "QueueNameExists");
    assert!(message.ends_with("VisibilityTimeout"), "{message}");
}

#[test]
fn a_queue_name_has_up_to_80_letters_digits_hyphens_and_underscores() {
    let bench = Bench::new();
    bench.create(&"q".repeat(80), json!({}));
    bench.create("a-b_C9", json!({}));
    for name in ["", "a b", "ä", "a.b", "imports.fifo", &"q".repeat(81)] {
        let (code, _) = bench.refusal(T0, "CreateQueue", json!({"QueueName": name}));
        assert_eq!(code, "InvalidParameterValue", "{name}");
    }
    let fifo_without_suffix = json!({"QueueName": "imports", "Attributes": {"FifoQueue": "true"}});
    assert_eq!(bench.refusal(T0, "CreateQueue", fifo_without_suffix).0, "InvalidParameterValue");
}

#[test]
fn attributes_are_strings_with_the_defaults_of_aws() {
    let (bench, url) = Bench::with_queue("imports", json!({}));
    let nothing = bench.call(T0, "GetQueueAttributes", json!({"QueueUrl": url}));
    assert_eq!(nothing, json!({}), "what is not asked for is not given");
    let all = bench.call(T0, "GetQueueAttributes", json!({"QueueUrl": url, "AttributeNames": ["All"]}));
    assert_eq!(
        all["Attributes"],
        json!({
            "ApproximateNumberOfMessages": "0",
            "ApproximateNumberOfMessagesDelayed": "0",
            "ApproximateNumberOfMessagesNotVisible": "0",
            "CreatedTimestamp": "1800000000",
            "DelaySeconds": "0",
            "LastModifiedTimestamp": "1800000000",
            "MaximumMessageSize": "1048576",
            "MessageRetentionPeriod": "345600",
            "QueueArn": "arn:aws:sqs:eu-central-1:000000000000:imports",
            "ReceiveMessageWaitTimeSeconds": "0",
            "SqsManagedSseEnabled": "false",
            "VisibilityTimeout": "30",
        })
    );
}

#[test]
fn attributes_can_be_set_within_their_limits() {
    let (bench, url) = Bench::with_queue("imports", json!({}));
    let set = |attributes| json!({"QueueUrl": url, "Attributes": attributes});
    bench.call(
        T0 + 5 * SECOND,
        "SetQueueAttributes",
        set(json!({"VisibilityTimeout": "43200", "DelaySeconds": "900"})),
    );
    let names = ["VisibilityTimeout", "LastModifiedTimestamp", "RedrivePolicy"];
    let found = bench.call(T0, "GetQueueAttributes", json!({"QueueUrl": url, "AttributeNames": names}));
    let expected = json!({"LastModifiedTimestamp": "1800000005", "VisibilityTimeout": "43200"});
    assert_eq!(found["Attributes"], expected);
    for (name, value, code) in [
        ("VisibilityTimeout", "43201", "InvalidAttributeValue"),
        ("VisibilityTimeout", "soon", "InvalidAttributeValue"),
        ("MessageRetentionPeriod", "59", "InvalidAttributeValue"),
        ("DelaySeconds", "901", "InvalidAttributeValue"),
        ("MaximumMessageSize", "1048577", "InvalidAttributeValue"),
        ("ReceiveMessageWaitTimeSeconds", "21", "InvalidAttributeValue"),
        ("FifoQueue", "true", "InvalidAttributeValue"),
        ("FifoQueue", "false", "InvalidAttributeName"),
        ("ContentBasedDeduplication", "true", "InvalidAttributeName"),
        ("Visibility", "1", "InvalidAttributeName"),
        ("Policy", "{}", "UnsupportedOperation"),
        ("SqsManagedSseEnabled", "true", "UnsupportedOperation"),
    ] {
        let (found, message) = bench.refusal(T0, "SetQueueAttributes", set(json!({name: value})));
        assert_eq!(found, code, "{name}={value}");
        assert!(message.contains(name), "{message}");
    }
    let unknown = json!({"QueueUrl": url, "AttributeNames": ["Size"]});
    assert_eq!(bench.refusal(T0, "GetQueueAttributes", unknown).0, "InvalidAttributeName");
}

#[test]
fn a_redrive_policy_needs_a_dead_letter_queue_of_the_same_type_and_a_count() {
    let (bench, url) = Bench::with_queue("imports", json!({}));
    bench.create("imports-dead", json!({}));
    bench.create("dead.fifo", json!({"FifoQueue": "true"}));
    let arn = |name: &str| bench.sqs.queue_arn(name);
    let set = |policy: &str| json!({"QueueUrl": url, "Attributes": {"RedrivePolicy": policy}});
    for (policy, reason) in [
        (json!({"maxReceiveCount": 3}), "mandatory attribute: deadLetterTargetArn"),
        (json!({"deadLetterTargetArn": arn("imports-dead")}), "mandatory attribute: maxReceiveCount"),
        (json!({"deadLetterTargetArn": arn("imports-dead"), "maxReceiveCount": 0}), "from 1 to 1000"),
        (json!({"deadLetterTargetArn": arn("imports-dead"), "maxReceiveCount": 1001}), "from 1 to 1000"),
        (json!({"deadLetterTargetArn": arn("missing"), "maxReceiveCount": 3}), "does not exist"),
        (json!({"deadLetterTargetArn": arn("dead.fifo"), "maxReceiveCount": 3}), "same type"),
        (json!([]), "not a valid JSON map"),
    ] {
        let (code, message) = bench.refusal(T0, "SetQueueAttributes", set(&policy.to_string()));
        assert_eq!(code, "InvalidParameterValue", "{policy}");
        assert!(message.contains(reason), "{message}");
    }
    let policy = json!({"deadLetterTargetArn": arn("imports-dead"), "maxReceiveCount": "3"});
    bench.call(T0, "SetQueueAttributes", set(&policy.to_string()));
    let ask = json!({"QueueUrl": url, "AttributeNames": ["RedrivePolicy"]});
    let found = bench.call(T0, "GetQueueAttributes", ask.clone());
    assert_eq!(
        text(&found["Attributes"], "RedrivePolicy"),
        format!(r#"{{"deadLetterTargetArn":"{}","maxReceiveCount":3}}"#, arn("imports-dead"))
    );
    bench.call(T0, "SetQueueAttributes", set(""));
    assert_eq!(bench.call(T0, "GetQueueAttributes", ask), json!({}));
}

#[test]
fn queues_are_listed_by_prefix_and_in_pages() {
    let bench = Bench::new();
    assert_eq!(bench.call(T0, "ListQueues", json!({})), json!({}));
    let urls: Vec<String> = ["a_1", "a_2", "a_3", "ab4"].map(|name| bench.create(name, json!({}))).to_vec();
    assert_eq!(bench.call(T0, "ListQueues", json!({})), json!({"QueueUrls": urls}));
    let first = bench.call(T0, "ListQueues", json!({"QueueNamePrefix": "a_", "MaxResults": 2}));
    assert_eq!(first["QueueUrls"], json!(urls[..2]));
    let next = json!({"QueueNamePrefix": "a_", "MaxResults": 2, "NextToken": first["NextToken"]});
    let second = bench.call(T0, "ListQueues", next);
    assert_eq!(second, json!({"QueueUrls": [urls[2]]}));
    assert_eq!(bench.refusal(T0, "ListQueues", json!({"NextToken": "%"})).0, "InvalidParameterValue");
}

#[test]
fn the_stacks_own_queues_take_the_attributes_of_the_last_set_up() {
    let bench = Bench::new();
    let dead = bench.sqs.create_queue("dead", &QueueAttributes::default()).unwrap();
    let redrive_policy =
        Some(RedrivePolicy { dead_letter_target_arn: bench.sqs.queue_arn("dead"), max_receive_count: 5 });
    let first = QueueAttributes { visibility_timeout_s: 60, redrive_policy, ..QueueAttributes::default() };
    let url = bench.sqs.create_queue("imports", &first).unwrap();
    bench.send(T0, &url, "stays");
    let second = QueueAttributes { visibility_timeout_s: 90, redrive_policy: None, ..first };
    assert_eq!(bench.sqs.create_queue("imports", &second).unwrap(), url);
    let ask = json!({"QueueUrl": url, "AttributeNames": ["VisibilityTimeout", "RedrivePolicy"]});
    let found = bench.call(T0, "GetQueueAttributes", ask);
    assert_eq!(found["Attributes"], json!({"VisibilityTimeout": "90"}));
    assert_eq!(bench.bodies(T0, &url), ["stays"]);
    let out_of_range = QueueAttributes { delay_s: -1, ..QueueAttributes::default() };
    assert_eq!(bench.sqs.create_queue("late", &out_of_range).unwrap_err().code, "InvalidAttributeValue");
    let standard = QueueAttributes { content_based_deduplication: true, ..QueueAttributes::default() };
    assert_eq!(bench.sqs.create_queue("late", &standard).unwrap_err().code, "InvalidAttributeName");
    let other_type = QueueAttributes { fifo: true, ..QueueAttributes::default() };
    assert_eq!(bench.sqs.create_queue("dead", &other_type).unwrap_err().code, "QueueNameExists");
    assert!(dead.ends_with("/dead"));
}

#[test]
fn a_purge_empties_the_queue_at_most_once_a_minute() {
    let (bench, url) = Bench::with_queue("imports", json!({}));
    bench.send(T0, &url, "in flight");
    bench.receive_one(T0, &url);
    bench.send(T0, &url, "visible");
    let request = json!({"QueueUrl": url});
    bench.call(T0, "PurgeQueue", request.clone());
    assert_eq!(bench.counts(T0, &url), ["0", "0", "0"]);
    let (code, _) = bench.refusal(T0 + 59 * SECOND, "PurgeQueue", request.clone());
    assert_eq!(code, "PurgeQueueInProgress");
    bench.call(T0 + 60 * SECOND, "PurgeQueue", request);
}

#[test]
fn what_is_not_implemented_is_refused_by_name() {
    let (bench, url) = Bench::with_queue("imports", json!({}));
    for operation in ["AddPermission", "CancelMessageMoveTask", "DeleteQueue", "TagQueue", "Nonsense"] {
        let (code, message) = bench.refusal(T0, operation, json!({}));
        assert_eq!(code, "UnknownOperationException");
        assert!(message.contains(operation), "{message}");
    }
    let receive = json!({"QueueUrl": url, "ReceiveRequestAttemptId": "1"});
    let (code, message) = bench.refusal(T0, "ReceiveMessage", receive);
    assert_eq!(code, "ValidationException");
    assert!(message.contains("ReceiveRequestAttemptId"), "{message}");
    assert_eq!(keys(&bench.send(T0, &url, "x")), ["MD5OfMessageBody", "MessageId"]);
}
