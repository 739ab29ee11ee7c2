//! Which ECS task a worker is, as far as its environment tells without a question to anybody.

use std::ffi::OsString;

/// Where Linux keeps the host's name; a container has one of its own.
const HOST_NAME: &str = "/proc/sys/kernel/hostname";

/// The longest name that is kept: an ARN is shorter.
const MAX_CHARS: usize = 300;

/// Digits of a task's id.
const TASK_ID_DIGITS: usize = 32;

/// The task's ARN, its id, or the name of its host.
pub(super) fn worker(lookup: impl Fn(&str) -> Option<OsString>) -> String {
    let variable = |name| lookup(name)?.into_string().ok().filter(|value| !value.is_empty());
    let name = variable("ECS_TASK_ARN")
        .or_else(|| task_id(&variable("ECS_CONTAINER_METADATA_URI_V4")?))
        .or_else(|| variable("HOSTNAME"))
        .or_else(|| Some(std::fs::read_to_string(HOST_NAME).ok()?.trim().to_owned()))
        .unwrap_or_else(|| "unknown".to_owned());
    // PostgreSQL takes no NUL, and a terminal no control characters.
    name.chars().filter(|character| !character.is_control()).take(MAX_CHARS).collect()
}

/// On Fargate a container's runtime id, which ends this URI, is the task's id and a number. On EC2 it is another id.
fn task_id(metadata_uri: &str) -> Option<String> {
    let (_, runtime_id) = metadata_uri.rsplit_once('/')?;
    let (task_id, number) = runtime_id.split_once('-')?;
    let is_hex = |text: &str| text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    (task_id.len() == TASK_ID_DIGITS && is_hex(task_id) && is_number).then(|| task_id.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ARN: &str = "arn:aws:ecs:eu-west-1:123456789012:task/baton/cd189a933e5849daa93386466019ab50";
    const FARGATE: &str = "http://169.254.170.2/v4/cd189a933e5849daa93386466019ab50-2495160603";
    const EC2: &str = "http://169.254.170.2/v4/9d1ad9a2-fc4c-4f59-a8ed-6f8b3b6c5a5e";

    fn named(variables: &[(&str, &str)]) -> String {
        worker(|name| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| value.into()))
    }

    #[test]
    fn a_worker_is_named_by_the_best_that_its_environment_tells() {
        let host = ("HOSTNAME", "ip-10-0-0-1");
        let fargate = ("ECS_CONTAINER_METADATA_URI_V4", FARGATE);
        assert_eq!(named(&[host, fargate, ("ECS_TASK_ARN", ARN)]), ARN);
        assert_eq!(named(&[host, fargate]), "cd189a933e5849daa93386466019ab50");
        assert_eq!(named(&[host, ("ECS_CONTAINER_METADATA_URI_V4", EC2)]), "ip-10-0-0-1");
        assert!(!named(&[]).is_empty());
        assert_eq!(named(&[("HOSTNAME", "a\u{1b}[2Jb\0")]), "a[2Jb");
    }
}
