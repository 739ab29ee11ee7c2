//! What the template's roles may do.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::resources;

/// An action on a resource.
pub(super) type Permission = (String, String);
/// What each role may do, or needs to.
pub(super) type Permissions = BTreeMap<String, BTreeSet<Permission>>;

/// Every permission of every role of a transformed template. What this cannot read it refuses, so that no permission is
/// overlooked.
pub(super) fn grants(template: &Value) -> Permissions {
    let mut grants = Permissions::new();
    for (id, resource) in resources(template) {
        let properties = &resource["Properties"];
        match resource["Type"].as_str().unwrap() {
            "AWS::IAM::Role" => {
                for property in ["ManagedPolicyArns", "PermissionsBoundary"] {
                    assert!(
                        properties.get(property).is_none(),
                        "{id}: {property} says more than is listed here"
                    );
                }
                let role = grants.entry(id.to_owned()).or_default();
                for policy in properties["Policies"].as_array().into_iter().flatten() {
                    role.extend(permissions(&policy["PolicyDocument"]));
                }
            }
            "AWS::IAM::RolePolicy" => {
                let role = properties["RoleName"]["Ref"].as_str().unwrap().to_owned();
                grants.entry(role).or_default().extend(permissions(&properties["PolicyDocument"]));
            }
            other => assert!(!other.starts_with("AWS::IAM::"), "{id}: a {other} is not read here"),
        }
    }
    grants
}

fn permissions(document: &Value) -> Vec<Permission> {
    let statements = document["Statement"].as_array().unwrap().iter().map(|statement| {
        // One that depends on a condition counts as if the condition were met.
        statement.get("Fn::If").map_or(statement, |choice| &choice[1])
    });
    let mut all = Vec::new();
    for statement in statements {
        let fields: Vec<_> = statement.as_object().unwrap().keys().map(String::as_str).collect();
        let is_known = |field: &&str| ["Effect", "Action", "Resource", "Condition"].contains(field);
        assert!(fields.iter().all(is_known) && statement["Effect"] == "Allow", "not read here: {statement}");
        for action in one_or_many(&statement["Action"]) {
            for resource in one_or_many(&statement["Resource"]) {
                all.push((action.as_str().unwrap().to_owned(), shown(resource)));
            }
        }
    }
    all
}

fn one_or_many(value: &Value) -> Vec<&Value> {
    value.as_array().map_or_else(|| vec![value], |many| many.iter().collect())
}

/// A resource by its logical id: `Queue`, `Bucket/imports/*`, `execution:${Machine.Name}:*`. Of an ARN that is put together
/// the part that every ARN of the account's region begins with is left out.
pub(super) fn shown(resource: &Value) -> String {
    if let Some(text) = resource.as_str() {
        return text.to_owned();
    }
    if let Some(id) = resource["Ref"].as_str() {
        return id.to_owned();
    }
    if let Some([id, attribute]) = resource["Fn::GetAtt"].as_array().map(Vec::as_slice) {
        assert_eq!(attribute, "Arn", "{resource}");
        return id.as_str().unwrap().to_owned();
    }
    let text = resource["Fn::Sub"].as_str().unwrap_or_else(|| panic!("not read here: {resource}"));
    if let Some((_, rest)) = text
        .strip_prefix("arn:${AWS::Partition}:")
        .and_then(|text| text.split_once(":${AWS::Region}:${AWS::AccountId}:"))
    {
        return rest.to_owned();
    }
    let (id, rest) = text
        .strip_prefix("${")
        .and_then(|text| text.split_once(".Arn}"))
        .unwrap_or_else(|| panic!("not read here: {text}"));
    format!("{id}{rest}")
}
