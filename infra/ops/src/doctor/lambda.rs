//! The function's settings and its mapping's, from Lambda's own API. `baton` has no SDK of Lambda: it reads them where the
//! endpoint takes a request whose signature nobody checks, as the embedded stack does, and says so elsewhere.

use axum::body::{Body, to_bytes};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;

use super::check::Check;
use super::settings::Settings;
use crate::target::Target;

/// The largest answer that is read, in bytes.
const MAX_ANSWER: usize = 1024 * 1024;

/// Reads both into `settings`.
pub(super) async fn read(target: &Target, access_key: &str, settings: &mut Settings) -> Vec<Check> {
    let Some(endpoint) = target.config.endpoint_url().filter(|url| url.starts_with("http://")) else {
        return vec![Check::skipped(
            "function",
            "its settings and its mapping's are not read: baton has no SDK of Lambda",
            "aws lambda get-function-configuration: Timeout a sixth of VisibilityTimeout at most; \
             aws lambda list-event-source-mappings: State Enabled, FunctionResponseTypes ReportBatchItemFailures",
        )];
    };
    let mapping = match mapping(target, endpoint, access_key, target.resources.import_queue_url()).await {
        Ok(mapping) => mapping,
        Err(error) => return vec![not_read("mapping", &error)],
    };
    let Some(function) = mapping["FunctionArn"].as_str() else {
        let advice = "make an event source mapping from the queue to the function start-import";
        return vec![Check::fail("mapping", "no function takes messages from the queue", advice)];
    };
    add_mapping(settings, &mapping);
    let state = mapping["State"].as_str().unwrap_or("?");
    let state = if settings.is_at_rest { "which rests, because no stack is up" } else { state };
    let mut checks = vec![Check::ok("mapping", format!("to {function}, {state}"))];
    match get(endpoint, access_key, &format!("/2015-03-31/functions/{function}/configuration")).await {
        Ok(configuration) => {
            add_function(settings, &configuration);
            checks.push(Check::ok("function", configuration["FunctionName"].as_str().unwrap_or(function)));
        }
        Err(error) => checks.push(not_read("function", &error)),
    }
    if target.resources.lane_queue_url.is_some() {
        checks.push(into_lanes(target, endpoint, access_key, settings).await);
    }
    checks
}

/// Whether messages are taken from where they are sent to into the lanes.
async fn into_lanes(target: &Target, endpoint: &str, access_key: &str, settings: &Settings) -> Check {
    const CHECK: &str = "into lanes";
    let mapping = match mapping(target, endpoint, access_key, &target.resources.queue_url).await {
        Ok(mapping) => mapping,
        Err(error) => return not_read(CHECK, &error),
    };
    match (mapping["FunctionArn"].as_str(), mapping["State"].as_str().unwrap_or("?")) {
        (None, _) => {
            let advice = "make an event source mapping from the queue to the function assign-lane";
            Check::fail(CHECK, "no function takes messages from the queue into the lanes", advice)
        }
        (Some(function), _) if settings.is_at_rest => {
            Check::ok(CHECK, format!("by {function}, which rests, because no stack is up"))
        }
        (Some(function), "Enabled") => Check::ok(CHECK, format!("by {function}, Enabled")),
        (Some(_), state) => Check::fail(
            CHECK,
            format!("the event source mapping is {state}: no import starts"),
            format!(
                "enable it: aws lambda update-event-source-mapping --enabled --uuid {}",
                mapping["UUID"].as_str().unwrap_or("UUID")
            ),
        ),
    }
}

/// The event source mapping of a queue; null where there is none.
async fn mapping(
    target: &Target,
    endpoint: &str,
    access_key: &str,
    queue_url: &str,
) -> anyhow::Result<Value> {
    let arn = queue_arn(&target.resources.import_state_machine_arn, queue_url);
    let path = format!("/2015-03-31/event-source-mappings?EventSourceArn={arn}");
    Ok(get(endpoint, access_key, &path).await?["EventSourceMappings"][0].clone())
}

fn not_read(check: &'static str, error: &anyhow::Error) -> Check {
    Check::fail(check, format!("its settings cannot be read: {error:#}"), "mend what the error names")
}

fn add_mapping(settings: &mut Settings, mapping: &Value) {
    settings.batch_size = mapping["BatchSize"].as_f64();
    settings.mapping_state = mapping["State"].as_str().map(str::to_owned);
    let kinds = mapping["FunctionResponseTypes"].as_array().cloned().unwrap_or_default();
    settings.reports_item_failures = Some(kinds.iter().any(|kind| kind == "ReportBatchItemFailures"));
}

fn add_function(settings: &mut Settings, configuration: &Value) {
    let variable = |name: &str| configuration["Environment"]["Variables"][name].as_str().map(str::to_owned);
    settings.function_timeout_s = configuration["Timeout"].as_f64();
    settings.function_hold_s = variable("HOLD_SECONDS").and_then(|text| text.parse().ok());
    settings.function_queue_url = variable("QUEUE_URL");
    settings.function_import_machine = variable("STATE_MACHINE_ARN");
    settings.function_dead_letter_machine = variable("DEAD_LETTER_STATE_MACHINE_ARN");
}

/// The ARN of a queue, by its URL and the ARN of anything else of the same account and region.
fn queue_arn(machine_arn: &str, queue_url: &str) -> String {
    let parts: Vec<_> = machine_arn.split(':').collect();
    let part = |at: usize| parts.get(at).copied().unwrap_or_default();
    let name = queue_url.rsplit('/').next().unwrap_or_default();
    format!("arn:{}:sqs:{}:{}:{name}", part(1), part(3), part(4))
}

async fn get(endpoint: &str, access_key: &str, path: &str) -> anyhow::Result<Value> {
    let client: Client<HttpConnector, Body> = Client::builder(TokioExecutor::new()).build_http();
    let credential = format!("AWS4-HMAC-SHA256 Credential={access_key}");
    let request = axum::http::Request::get(format!("{}{path}", endpoint.trim_end_matches('/')))
        .header(axum::http::header::AUTHORIZATION, credential)
        .body(Body::empty())?;
    let response = client.request(request).await?;
    let status = response.status();
    let body = to_bytes(Body::new(response.into_body()), MAX_ANSWER).await?;
    let answer: Value = serde_json::from_slice(&body).unwrap_or_default();
    anyhow::ensure!(status.is_success(), "{status}: {}", answer["message"].as_str().unwrap_or_default());
    Ok(answer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_arn_of_a_queue_is_made_from_its_url() {
        let machine = "arn:aws-cn:states:cn-north-1:123456789012:stateMachine:import";
        let arn = queue_arn(machine, "https://sqs.cn-north-1.amazonaws.com.cn/123456789012/imports.fifo");
        assert_eq!(arn, "arn:aws-cn:sqs:cn-north-1:123456789012:imports.fifo");
    }
}
