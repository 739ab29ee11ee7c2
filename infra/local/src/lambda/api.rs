//! Lambda's own API, as far as `aws lambda` reads and invokes with it, disables and enables the event source mapping, and
//! throttles the function.

use std::sync::Arc;

use axum::body::to_bytes;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use percent_encoding::percent_decode_str;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{EventSourceMapping, Fed, Functions, InvokeError, Lambda};
use crate::wire::{self, AwsError};

/// The largest payload of an invocation that waits for its answer, as on AWS.
const MAX_PAYLOAD: usize = 6 * 1024 * 1024;

/// Answers a request whose path begins with a version of the API.
pub(crate) async fn answer(functions: &Functions, request: Request) -> Response {
    let path = request.uri().path().to_owned();
    let mut parts = path.trim_end_matches('/').split('/').skip(2).map(decode);
    let parts: [Option<String>; 4] = std::array::from_fn(|_| parts.next());
    let parts = parts.each_ref().map(Option::as_deref);
    let query = request.uri().query().unwrap_or_default().to_owned();
    let answered = match (request.method(), parts) {
        (&Method::GET, [Some("functions"), None, None, None]) => {
            let listed: Vec<_> = functions.iter().map(|fed| configuration(&fed.function)).collect();
            Ok(json!({"Functions": listed}))
        }
        (&Method::GET, [Some("functions"), Some(name), None, None]) => find(functions, name).map(|function| {
            let location = format!("file://{}", function.config().command.display());
            json!({"Configuration": configuration(function), "Code": {"RepositoryType": "local", "Location": location}})
        }),
        (&Method::GET, [Some("functions"), Some(name), Some("configuration"), None]) => {
            find(functions, name).map(configuration)
        }
        (&Method::POST, [Some("functions"), Some(name), Some("invocations"), None]) => {
            return match find(functions, name) {
                Ok(function) => invoke(function, request).await.unwrap_or_else(|error| refuse(&error)),
                Err(error) => refuse(&error),
            };
        }
        (&Method::GET, [Some("event-source-mappings"), None, None, None]) => {
            let is_listed = |Fed { function, mapping }: &&Fed| {
                let matches = |parameter, theirs: &[&str]| {
                    parameters(&query, parameter).is_none_or(|asked| theirs.contains(&asked.as_str()))
                };
                let config = function.config();
                matches("FunctionName", &[&config.name, &config.arn()])
                    && matches("EventSourceArn", &[mapping.queue_arn()])
            };
            let listed = functions.iter().filter(is_listed).map(|fed| fed.mapping.to_json());
            Ok(json!({"EventSourceMappings": listed.collect::<Vec<_>>()}))
        }
        (&Method::GET, [Some("event-source-mappings"), Some(uuid), None, None]) => {
            find_mapping(functions, uuid).map(EventSourceMapping::to_json)
        }
        (&Method::PUT, [Some("event-source-mappings"), Some(uuid), None, None]) => {
            match find_mapping(functions, uuid) {
                Ok(mapping) => change_mapping(mapping, request).await,
                Err(error) => Err(error),
            }
        }
        (&Method::PUT, [Some("functions"), Some(name), Some("concurrency"), None]) => {
            match find(functions, name) {
                Ok(function) => reserve_concurrency(function, request).await,
                Err(error) => Err(error),
            }
        }
        (&Method::DELETE, [Some("functions"), Some(name), Some("concurrency"), None]) => {
            match find(functions, name) {
                Ok(function) => {
                    function.throttle(false);
                    return StatusCode::NO_CONTENT.into_response();
                }
                Err(error) => Err(error),
            }
        }
        (method, _) => Err(AwsError::not_implemented("lambda", &format!("{method} {path}"))),
    };
    match answered {
        Ok(body) => respond(StatusCode::OK, &body.to_string()),
        Err(error) => refuse(&error),
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct UpdateEventSourceMapping {
    enabled: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct PutFunctionConcurrency {
    reserved_concurrent_executions: u32,
}

async fn change_mapping(mapping: &EventSourceMapping, request: Request) -> Result<Value, AwsError> {
    let body = json_of(request).await?;
    let UpdateEventSourceMapping { enabled } = wire::parse("UpdateEventSourceMapping", body)?;
    mapping.enable(enabled);
    Ok(mapping.to_json())
}

/// There is one environment: only to have none makes a difference.
async fn reserve_concurrency(function: &Lambda, request: Request) -> Result<Value, AwsError> {
    let body = json_of(request).await?;
    let PutFunctionConcurrency { reserved_concurrent_executions: reserved } =
        wire::parse("PutFunctionConcurrency", body)?;
    if reserved != 0 {
        let what =
            format!("PutFunctionConcurrency with {reserved}: there is one environment, or none with 0");
        return Err(AwsError::not_implemented("lambda", &what));
    }
    function.throttle(true);
    Ok(json!({"ReservedConcurrentExecutions": reserved}))
}

async fn json_of(request: Request) -> Result<Value, AwsError> {
    let bytes = to_bytes(request.into_body(), MAX_PAYLOAD).await.map_err(AwsError::internal)?;
    serde_json::from_slice(&bytes).map_err(no_json)
}

/// An error in the form of AWS's REST-JSON protocol.
pub(crate) fn refuse(error: &AwsError) -> Response {
    let (status, _) = error.to_response("");
    let kind = if status.is_server_error() { "Service" } else { "User" };
    let body = json!({"Type": kind, "Message": error.message, "message": error.message});
    let mut response = respond(status, &body.to_string());
    if let Ok(code) = HeaderValue::from_str(&error.code) {
        response.headers_mut().insert("x-amzn-errortype", code);
    }
    response
}

async fn invoke(function: &Arc<Lambda>, request: Request) -> Result<Response, AwsError> {
    let (parts, body) = request.into_parts();
    only(&parts.headers, "x-amz-invocation-type", "RequestResponse")?;
    only(&parts.headers, "x-amz-log-type", "None")?;
    if let Some(qualifier) = parameters(parts.uri.query().unwrap_or_default(), "Qualifier")
        && qualifier != "$LATEST"
    {
        return Err(not_found("The embedded stack has no versions and no aliases."));
    }
    let bytes = to_bytes(body, MAX_PAYLOAD).await.map_err(|_| AwsError {
        code: "RequestTooLargeException".to_owned(),
        message: format!("the payload has more than {MAX_PAYLOAD} bytes, or broke off"),
        status: 413,
    })?;
    let payload =
        if bytes.is_empty() { json!({}) } else { serde_json::from_slice(&bytes).map_err(no_json)? };
    let result = function.invoke(payload).await;
    let (body, is_error) = match result {
        Ok(answer) => (answer, false),
        Err(InvokeError::FunctionError(error)) => (error, true),
        Err(InvokeError::Throttled) => {
            let message = "Rate Exceeded.".to_owned();
            return Err(AwsError { code: "TooManyRequestsException".to_owned(), message, status: 429 });
        }
        Err(InvokeError::TimedOut(after)) => {
            let message = format!("Task timed out after {:.2} seconds", after.as_secs_f64());
            (json!({"errorType": "Sandbox.Timedout", "errorMessage": message}), true)
        }
        Err(InvokeError::Died(how)) => {
            let message = format!("Runtime exited with error: {how}");
            (json!({"errorType": "Runtime.ExitError", "errorMessage": message}), true)
        }
    };
    let mut response = respond(StatusCode::OK, &body.to_string());
    let headers = response.headers_mut();
    headers.insert("x-amz-executed-version", HeaderValue::from_static("$LATEST"));
    if is_error {
        headers.insert("x-amz-function-error", HeaderValue::from_static("Unhandled"));
    }
    Ok(response)
}

#[expect(clippy::needless_pass_by_value, reason = "to be named in map_err")]
fn no_json(error: serde_json::Error) -> AwsError {
    let message = format!("Could not parse request body into json, at column {}", error.column());
    AwsError::client("InvalidRequestContentException", message)
}

/// Refuses a header that asks for something else than what there is.
fn only(headers: &HeaderMap, name: &str, value: &str) -> Result<(), AwsError> {
    match headers.get(name) {
        Some(asked) if asked != value => {
            let asked = String::from_utf8_lossy(asked.as_bytes()).into_owned();
            Err(AwsError::not_implemented("lambda", &format!("Invoke with {name} {asked}")))
        }
        _ => Ok(()),
    }
}

fn find<'a>(functions: &'a Functions, name: &str) -> Result<&'a Arc<Lambda>, AwsError> {
    let wanted = name.strip_suffix(":$LATEST").unwrap_or(name);
    let is_meant = |function: &&Arc<Lambda>| {
        let config = function.config();
        let partial = format!("{}:function:{}", config.account, config.name);
        [&config.name, &config.arn(), &partial].iter().any(|known| *known == wanted)
    };
    let found = functions.iter().map(|fed| &fed.function).find(is_meant);
    found.ok_or_else(|| not_found(&format!("Function not found: {wanted}")))
}

fn find_mapping<'a>(functions: &'a Functions, uuid: &str) -> Result<&'a EventSourceMapping, AwsError> {
    let found = functions.iter().map(|fed| &fed.mapping).find(|mapping| mapping.uuid() == uuid);
    found.map(Arc::as_ref).ok_or_else(|| not_found("The resource you requested does not exist."))
}

fn configuration(function: &Arc<Lambda>) -> Value {
    let config = function.config();
    let variables: serde_json::Map<String, Value> =
        config.environment.iter().map(|(name, value)| (name.clone(), value.clone().into())).collect();
    json!({
        "FunctionName": config.name,
        "FunctionArn": config.arn(),
        "Runtime": "provided.al2023",
        "Handler": "bootstrap",
        "Timeout": config.timeout.as_secs(),
        "MemorySize": config.memory_megabytes,
        "Version": "$LATEST",
        "Environment": {"Variables": variables},
        "State": "Active",
        "LastUpdateStatus": "Successful",
        "PackageType": "Zip",
    })
}

/// The value of a query parameter.
fn parameters(query: &str, name: &str) -> Option<String> {
    query
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .find_map(|(key, value)| (key == name).then(|| decode(value)))
}

fn decode(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

fn not_found(message: &str) -> AwsError {
    AwsError { code: "ResourceNotFoundException".to_owned(), message: message.to_owned(), status: 404 }
}

fn respond(status: StatusCode, body: &str) -> Response {
    (status, [(header::CONTENT_TYPE, "application/json")], body.to_owned()).into_response()
}
