//! The stack's front: one port for all services. A request is told by its form: `X-Amz-Target` names an operation of a
//! JSON service, `/2015-03-31/` or `/2017-10-31/` is Lambda, anything else is S3.
//!
//! A web page in the user's browser can reach this port too. It must not be able to drive the stack: requests to the JSON
//! services and to Lambda have to name the stack's access key, which a page does not know, and must not have an
//! `Origin`, which a page cannot leave out. Their signatures are not verified (a difference from AWS); those of S3 are.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, HttpBody as _, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use s3s::service::S3Service;
use serde_json::Value;
use tokio::net::TcpListener;
use uuid::Uuid;

use crate::lambda::{self, Functions};
use crate::listen::without_delay;
use crate::wire::{Answer, AwsError};

/// The largest request of a JSON service: a message of 1 MiB, quoted, and what surrounds it.
const MAX_BODY: usize = 2 * 1024 * 1024;

/// A service that speaks AWS JSON: called with the name of an operation and its request.
#[derive(Clone)]
pub struct JsonService {
    /// Answers a call.
    pub call: Arc<dyn Fn(String, Value) -> Answer + Send + Sync>,
    /// The namespace of its errors, such as `com.amazonaws.sqs`.
    pub namespace: &'static str,
    /// The value of `x-amzn-query-error` for an error, where the service's clients ask for it.
    pub query_error: Option<fn(&AwsError) -> Option<String>>,
}

/// What stands behind the port.
#[derive(Clone)]
pub struct Services {
    /// `AmazonSQS`.
    pub sqs: JsonService,
    /// `AWSStepFunctions`.
    pub states: JsonService,
    /// `AmazonEC2ContainerServiceV20141113`.
    pub ecs: JsonService,
    /// `Logs_20140328`.
    pub logs: JsonService,
    /// `AWSEvents`.
    pub events: JsonService,
    /// The functions, and the mappings that feed them.
    pub lambda: Functions,
    /// Everything else.
    pub s3: S3Service,
    /// The access key that requests have to name.
    pub access_key: String,
}

/// Serves the stack until `shutdown` comes, and then the requests that are under way.
///
/// # Errors
/// Where the listener is not on this machine's own address, or fails.
pub async fn serve(
    listener: TcpListener,
    services: Services,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    refuse_other_machines(listener.local_addr()?)?;
    axum::serve(without_delay(listener), router(services)).with_graceful_shutdown(shutdown).await
}

fn refuse_other_machines(address: SocketAddr) -> io::Result<()> {
    if address.ip().is_loopback() {
        return Ok(());
    }
    let message = format!("the embedded stack listens on 127.0.0.1 only, not on {address}");
    Err(io::Error::new(io::ErrorKind::InvalidInput, message))
}

/// The stack as a service of axum.
pub fn router(services: Services) -> Router {
    Router::new().fallback(dispatch).with_state(Arc::new(services))
}

async fn dispatch(State(services): State<Arc<Services>>, request: Request) -> Response {
    let waits_in_vain = request.headers().contains_key(header::EXPECT) && request.body().is_end_stream();
    let mut response = if request.headers().contains_key("x-amz-target") {
        json(&services, request).await
    } else if is_lambda(request.uri().path()) {
        match admit(request.headers(), &services.access_key) {
            Ok(()) => lambda::api::answer(&services.lambda, request).await,
            Err(error) => lambda::api::refuse(&error),
        }
    } else {
        let answered = services.s3.call(request.map(s3s::Body::http_body_unsync)).await;
        answered.map_or_else(|_| StatusCode::BAD_REQUEST.into_response(), |response| response.map(Body::new))
    };
    if waits_in_vain {
        // hyper sends no `100 Continue` for a body that is empty, and botocore takes this answer for it: it would read the next one of
        // this connection wrongly, and wait for a minute.
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    if let Ok(id) = HeaderValue::from_str(&Uuid::new_v4().to_string()) {
        response.headers_mut().entry("x-amzn-requestid").or_insert(id);
    }
    response
}

/// Lambda's API has a version for each of its ages.
fn is_lambda(path: &str) -> bool {
    path.starts_with("/2015-03-31/") || path.starts_with("/2017-10-31/")
}

async fn json(services: &Services, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let target =
        parts.headers.get("x-amz-target").and_then(|target| target.to_str().ok()).unwrap_or_default();
    let (prefix, operation) = target.split_once('.').unwrap_or((target, ""));
    let (service, version) = match prefix {
        "AmazonSQS" => (&services.sqs, "1.0"),
        "AWSStepFunctions" => (&services.states, "1.0"),
        "AmazonEC2ContainerServiceV20141113" => (&services.ecs, "1.1"),
        "Logs_20140328" => (&services.logs, "1.1"),
        "AWSEvents" => (&services.events, "1.1"),
        _ => {
            let message = format!("baton's embedded stack has no service {prefix:?}");
            return error(
                "com.amazon.coral.service",
                "1.0",
                None,
                &AwsError::client("UnknownOperationException", message),
            );
        }
    };
    let answer = async {
        admit(&parts.headers, &services.access_key)?;
        let bytes = to_bytes(body, MAX_BODY).await.map_err(|_| AwsError {
            code: "RequestEntityTooLarge".to_owned(),
            message: format!("the request has more than {MAX_BODY} bytes, or broke off"),
            status: 413,
        })?;
        // The position is told, the content is not: it may hold a task token.
        let mut body: Value = serde_json::from_slice(&bytes).map_err(|error| {
            AwsError::client(
                "SerializationException",
                format!("the body is no JSON, at column {}", error.column()),
            )
        })?;
        if target == "AWSStepFunctions.StartExecution" {
            take_trace_header(&parts.headers, &mut body);
        }
        (service.call)(operation.to_owned(), body).await
    };
    match answer.await {
        Ok(answer) => respond(StatusCode::OK, version, &answer),
        Err(refused) => error(service.namespace, version, service.query_error, &refused),
    }
}

/// "If both sources are provided, Step Functions will use the header value (preferred) over the value in the request body."
/// (`API_StartExecution`)
fn take_trace_header(headers: &HeaderMap, body: &mut Value) {
    let given = headers.get("x-amzn-trace-id").and_then(|value| value.to_str().ok());
    if let (Some(given), Some(body)) = (given, body.as_object_mut()) {
        body.insert("traceHeader".to_owned(), given.into());
    }
}

/// Lets a request pass whose sender knows the stack's access key and is not a web page.
fn admit(headers: &HeaderMap, access_key: &str) -> Result<(), AwsError> {
    let denied = |code: &str, message: &str| {
        Err(AwsError { code: code.to_owned(), message: message.to_owned(), status: 403 })
    };
    if headers.contains_key(header::ORIGIN) {
        return denied("AccessDeniedException", "The embedded stack takes no requests from web pages.");
    }
    let Some(authorization) = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()) else {
        return denied("MissingAuthenticationToken", "The request has no Authorization header.");
    };
    let credential = authorization
        .strip_prefix("AWS4-HMAC-SHA256")
        .and_then(|rest| rest.split(',').find_map(|part| part.trim().strip_prefix("Credential=")))
        .and_then(|scope| scope.split('/').next());
    if credential == Some(access_key) {
        Ok(())
    } else {
        denied("UnrecognizedClientException", "The access key is not the embedded stack's.")
    }
}

fn error(
    namespace: &str,
    version: &str,
    query_error: Option<fn(&AwsError) -> Option<String>>,
    error: &AwsError,
) -> Response {
    let (status, body) = error.to_response(namespace);
    let mut response = respond(status, version, &body);
    let query_error = query_error.and_then(|of| of(error)).and_then(|text| HeaderValue::from_str(&text).ok());
    if let Some(value) = query_error {
        response.headers_mut().insert("x-amzn-query-error", value);
    }
    response
}

fn respond(status: StatusCode, version: &str, body: &Value) -> Response {
    let content_type = format!("application/x-amz-json-{version}");
    (status, [(header::CONTENT_TYPE, content_type)], body.to_string()).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_trace_in_the_requests_header_is_preferred_to_the_one_in_its_body() {
        let mut headers = HeaderMap::new();
        let mut body = serde_json::json!({"traceHeader": "of the body"});
        take_trace_header(&headers, &mut body);
        assert_eq!(body["traceHeader"], "of the body");
        headers.insert("x-amzn-trace-id", HeaderValue::from_static("of the header"));
        take_trace_header(&headers, &mut body);
        assert_eq!(body["traceHeader"], "of the header");
    }

    #[test]
    fn the_stack_listens_on_this_machine_only() {
        let check = |address: &str| refuse_other_machines(address.parse().unwrap());
        assert!(check("127.0.0.1:4566").is_ok());
        for address in ["192.0.2.1:4566", "[::]:4566"] {
            assert!(check(address).unwrap_err().to_string().contains("127.0.0.1 only"), "{address}");
        }
    }
}
