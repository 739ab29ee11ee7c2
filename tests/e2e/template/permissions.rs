//! Least privilege: what the roles may do is what is needed, no less and no more.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::Template;
use super::grants::{Permissions, grants};
use super::needs::needs;

/// What is missing and what is too much, a line for each.
fn differences(granted: &Permissions, needed: &Permissions) -> Vec<String> {
    let none = BTreeSet::new();
    let roles: BTreeSet<_> = granted.keys().chain(needed.keys()).collect();
    let mut lines = Vec::new();
    for role in roles {
        let (granted, needed) = (granted.get(role).unwrap_or(&none), needed.get(role).unwrap_or(&none));
        for (kind, permissions) in [("missing", needed - granted), ("surplus", granted - needed)] {
            let of_kind =
                permissions.iter().map(|(action, resource)| format!("{kind}: {role} {action} {resource}"));
            lines.extend(of_kind);
        }
    }
    lines
}

#[test]
fn every_role_may_do_what_is_needed_and_nothing_else() {
    for has_lanes in [false, true] {
        let template = Template::deployed(has_lanes);
        let differences = differences(&grants(&template.transformed), &needs(&template));
        assert!(differences.is_empty(), "lanes: {has_lanes}: {differences:#?}");
    }
}

#[test]
fn a_permission_that_is_missing_and_one_too_many_are_found() {
    let template = Template::deployed(true);
    let needed = needs(&template);
    let changed = |role: &str, statement: usize, key: &str, value: Value| {
        let mut changed = template.transformed.clone();
        let policy = &mut changed["Resources"][role]["Properties"]["Policies"][0];
        policy["PolicyDocument"]["Statement"][statement][key] = value;
        differences(&grants(&changed), &needed)
    };
    assert_eq!(
        changed(
            "StartImportRole",
            0,
            "Action",
            json!(["sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"])
        ),
        ["missing: StartImportRole sqs:ChangeMessageVisibility LaneQueue"]
    );
    assert_eq!(
        changed("TaskRole", 2, "Action", json!(["s3:ListBucket", "s3:DeleteBucket"])),
        ["surplus: TaskRole s3:DeleteBucket Bucket"]
    );
    assert_eq!(
        changed("AssignLaneRole", 0, "Resource", json!({"Fn::GetAtt": ["ImportQueue", "Arn"]})),
        [
            "missing: AssignLaneRole sqs:SendMessage LaneQueue",
            "surplus: AssignLaneRole sqs:SendMessage ImportQueue"
        ]
    );
    // The right action on more than its resource is both.
    assert_eq!(
        changed("ImportEndedRole", 0, "Resource", json!("*")),
        [
            "missing: ImportEndedRole states:StartExecution DeadLetterStateMachine",
            "surplus: ImportEndedRole states:StartExecution *"
        ]
    );
}

#[test]
fn a_role_that_nothing_uses_is_found() {
    let template = Template::deployed(false);
    let mut changed = template.transformed.clone();
    changed["Resources"]["Spare"] = changed["Resources"]["ImportEndedRole"].clone();
    assert_eq!(
        differences(&grants(&changed), &needs(&template)),
        ["surplus: Spare states:StartExecution DeadLetterStateMachine"]
    );
}

#[test]
fn only_actions_for_which_aws_knows_no_resource_are_allowed_on_all() {
    let template = Template::deployed(true);
    for (role, permissions) in grants(&template.transformed) {
        for (action, _) in permissions.iter().filter(|(_, resource)| resource == "*") {
            let has_no_resource = ["xray:", "states:SendTask", "ecr:GetAuthorizationToken"]
                .iter()
                .any(|beginning| action.starts_with(beginning))
                || (action.starts_with("logs:")
                    && !["logs:CreateLogStream", "logs:PutLogEvents"].contains(&action.as_str()));
            assert!(has_no_resource, "{role} may {action} everything");
            assert!(!action.contains('*'), "{role} may {action}");
        }
    }
}
