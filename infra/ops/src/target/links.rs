//! Pages of the AWS console. They are made from ARNs alone: nothing is asked.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// What stands in a part of a path as it is.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.');

/// The page of an execution, by its ARN.
pub(crate) fn execution(arn: &str) -> Option<String> {
    let (host, region) = console(arn)?;
    Some(format!("https://{host}/states/home?region={region}#/v2/executions/details/{arn}"))
}

/// The page of an ECS task, by its ARN `…:task/<cluster>/<id>`.
pub(crate) fn task(arn: &str) -> Option<String> {
    let (host, region) = console(arn)?;
    let (cluster, id) = arn.rsplit_once(":task/")?.1.split_once('/')?;
    Some(format!("https://{host}/ecs/v2/clusters/{cluster}/tasks/{id}?region={region}"))
}

/// The page of a queue, by its URL; `arn` is of anything in the same region.
pub(crate) fn queue(arn: &str, queue_url: &str) -> Option<String> {
    let (host, region) = console(arn)?;
    let queue = utf8_percent_encode(queue_url, PLAIN);
    Some(format!("https://{host}/sqs/v3/home?region={region}#/queues/{queue}"))
}

/// The page of a log stream; `arn` is of anything in the same region.
pub(crate) fn log_stream(arn: &str, group: &str, stream: &str) -> Option<String> {
    let (host, region) = console(arn)?;
    let (group, stream) = (twice_encoded(group), twice_encoded(stream));
    Some(format!(
        "https://{host}/cloudwatch/home?region={region}#logsV2:log-groups/log-group/{group}/log-events/{stream}"
    ))
}

/// The console's host and the region, of an ARN `arn:<partition>:<service>:<region>:…`.
fn console(arn: &str) -> Option<(String, &str)> {
    let mut parts = arn.split(':');
    let (partition, region) = (parts.nth(1)?, parts.nth(1)?);
    let domain = match partition {
        "aws" => "console.aws.amazon.com",
        "aws-cn" => "console.amazonaws.cn",
        "aws-us-gov" => "console.amazonaws-us-gov.com",
        _ => return None,
    };
    Some((format!("{region}.{domain}"), region))
}

/// CloudWatch's pages take a name encoded twice, with `$` for the second `%`.
fn twice_encoded(name: &str) -> String {
    utf8_percent_encode(name, PLAIN).to_string().replace('%', "$25")
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXECUTION: &str = "arn:aws:states:ap-northeast-1:123456789012:execution:import:people-1-m";

    #[test]
    fn a_link_leads_to_the_page_in_the_region_of_the_arn() {
        assert_eq!(
            execution(EXECUTION).unwrap(),
            format!(
                "https://ap-northeast-1.console.aws.amazon.com/states/home?region=ap-northeast-1#/v2/executions/details/{EXECUTION}"
            )
        );
        assert_eq!(
            task("arn:aws-cn:ecs:cn-north-1:123456789012:task/imports/0f1e").unwrap(),
            "https://cn-north-1.console.amazonaws.cn/ecs/v2/clusters/imports/tasks/0f1e?region=cn-north-1"
        );
        assert_eq!(
            queue(EXECUTION, "https://sqs.ap-northeast-1.amazonaws.com/123456789012/imports").unwrap(),
            "https://ap-northeast-1.console.aws.amazon.com/sqs/v3/home?region=ap-northeast-1#/queues/\
             https%3A%2F%2Fsqs.ap-northeast-1.amazonaws.com%2F123456789012%2Fimports"
        );
        assert_eq!(
            log_stream(EXECUTION, "/ecs/import-worker", "worker/worker/0f1e").unwrap(),
            "https://ap-northeast-1.console.aws.amazon.com/cloudwatch/home?region=ap-northeast-1\
             #logsV2:log-groups/log-group/$252Fecs$252Fimport-worker/log-events/worker$252Fworker$252F0f1e"
        );
    }

    #[test]
    fn what_is_no_arn_has_no_page() {
        for text in ["", "arn", "people-1", "arn:other:states:x:1:execution:a:b"] {
            assert_eq!(execution(text), None, "{text}");
        }
        assert_eq!(task("arn:aws:ecs:eu-west-1:123456789012:task/old-form"), None);
    }
}
