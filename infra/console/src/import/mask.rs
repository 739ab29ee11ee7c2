//! Data of an execution, fit to be shown: task tokens and the environments of containers are left out, by the names of
//! their fields and by what they look like, wherever they stand, in JSON inside of JSON too.

use serde_json::Value;

/// Fields whose values are shown to nobody.
const SECRET_FIELDS: [&str; 4] = ["token", "task_token", "environment", "environment_files"];
/// In place of what is left out.
const NOT_SHOWN: &str = "(not shown)";
/// A word as long as this, of letters and digits alone, is a token; SHA-256 in hexadecimal digits is just shorter.
const TOKEN_LENGTH: usize = 65;

/// The text as JSON that is indented, without secrets; as it is, where it is no JSON.
pub(super) fn pretty(text: &str) -> String {
    match serde_json::from_str(text) {
        Ok(mut value) => {
            mask(&mut value);
            match value {
                Value::String(text) => text,
                value => serde_json::to_string_pretty(&value).unwrap_or_else(|_| NOT_SHOWN.to_owned()),
            }
        }
        Err(_) => plain(text),
    }
}

fn mask(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            // As CloudFormation and ECS write a variable: its name is in one field, its value in another.
            let is_secret_variable = fields.iter().any(|(name, value)| {
                name.eq_ignore_ascii_case("name") && value.as_str().is_some_and(is_secret_field)
            });
            for (name, value) in fields {
                if is_secret_field(name) || (is_secret_variable && name.eq_ignore_ascii_case("value")) {
                    *value = NOT_SHOWN.into();
                } else {
                    mask(value);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(mask),
        Value::String(text) => {
            // JSON inside of JSON stays text.
            let inner =
                serde_json::from_str(text).ok().filter(|inner: &Value| inner.is_object() || inner.is_array());
            *text = match inner {
                Some(mut inner) => {
                    mask(&mut inner);
                    inner.to_string()
                }
                None => plain(text),
            };
        }
        _ => {}
    }
}

/// `TaskToken`, `TASK_TOKEN`, `taskToken` and the like.
fn is_secret_field(name: &str) -> bool {
    let plain = |name: &str| name.replace('_', "").to_ascii_lowercase();
    let name = plain(name);
    SECRET_FIELDS.iter().any(|secret| plain(secret) == name)
}

/// Text that is no JSON.
fn plain(text: &str) -> String {
    let is_cut_json =
        text.trim_start().starts_with(['{', '[']) && serde_json::from_str::<Value>(text).is_err();
    // What is left of a task of ECS may have the environment in it.
    if is_cut_json && text.to_ascii_lowercase().contains("environment") {
        return NOT_SHOWN.to_owned();
    }
    let mut shown = String::with_capacity(text.len());
    for part in text.split_inclusive(|c: char| !c.is_ascii_alphanumeric() && !"+/=".contains(c)) {
        let word = part.trim_end_matches(|c: char| !c.is_ascii_alphanumeric() && !"+/=".contains(c));
        if word.len() >= TOKEN_LENGTH && word.bytes().any(|byte| byte.is_ascii_digit()) {
            shown.push_str(NOT_SHOWN);
            shown.push_str(&part[word.len()..]);
        } else {
            shown.push_str(part);
        }
    }
    without_passwords(&shown)
}

/// `postgres://user:password@host` without the password.
fn without_passwords(text: &str) -> String {
    let Some((scheme, rest)) = text.split_once("://") else { return text.to_owned() };
    let end = rest.find(|c: char| c.is_whitespace() || "/\"'".contains(c)).unwrap_or(rest.len());
    let (authority, rest) = rest.split_at(end);
    let authority =
        match authority.rsplit_once('@').and_then(|(user, host)| Some((user.split_once(':')?.0, host))) {
            Some((user, host)) => format!("{user}:{NOT_SHOWN}@{host}"),
            None => authority.to_owned(),
        };
    format!("{scheme}://{authority}{}", without_passwords(rest))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn tokens_and_environments_are_left_out_wherever_they_stand() {
        let token = format!("{}abc1", "0123456789abcdef".repeat(4));
        let environment =
            json!([{"Name": "TASK_TOKEN", "Value": token}, {"Name": "IMPORT", "Value": "hidden"}]);
        let task =
            json!({"Overrides": {"ContainerOverrides": [{"Name": "worker", "Environment": environment}]}});
        let values = [
            task.clone(),
            json!({"Cause": task.to_string()}),
            json!({"TaskToken": "short"}),
            json!({"said": format!("no task has the token {token}, it says")}),
            json!([{"name": "task_token", "value": "short"}]),
            json!({"DATABASE": "postgres://me:hidden@db:5432/x and s3://b/k"}),
        ];
        for value in values {
            let shown = pretty(&value.to_string());
            assert!(shown.contains(NOT_SHOWN), "{shown}");
            for secret in [token.as_str(), "hidden", "short"] {
                assert!(!shown.contains(secret), "{secret} in {shown}");
            }
        }
        let cut = task.to_string();
        assert_eq!(pretty(&cut[..cut.len() - 3]), NOT_SHOWN, "as the cause of a failure may be cut");
    }

    #[test]
    fn what_is_no_secret_is_shown_as_it_is() {
        let sha256 = "0123456789abcdef".repeat(4);
        let input = json!({"import": {"id": "people-20261123-101500-4f1c", "source": "s3://baton/uploads/山田.csv", "sha256": sha256}});
        assert_eq!(pretty(&input.to_string()), serde_json::to_string_pretty(&input).unwrap());
        assert_eq!(pretty("\"there is no table\""), "there is no table");
        assert_eq!(pretty("no JSON: {"), "no JSON: {");
        let name = "people-20261123-101500-4f1c-0f0e0d0c-0b0a-0908-0706-050403020100-0f0e0d0c";
        assert_eq!(pretty(name), name);
    }
}
