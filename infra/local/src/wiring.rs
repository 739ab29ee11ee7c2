//! How the services reach each other and how the world reaches them: closures over the services, because none of them
//! knows another.

use std::sync::Arc;

use crate::credentials::Credentials;
use crate::ecs::Ecs;
use crate::logs::{self, Logs};
use crate::resources::REGION;
use crate::router::JsonService;
use crate::rule::Rule;
use crate::sqs::{self, Sqs};
use crate::states::{Services, States};
use crate::wire::Call;

/// What Task states can call.
pub(crate) fn task_services(sqs_service: &Arc<Sqs>, ecs: &Arc<Ecs>) -> Services {
    let (run, wait) = (Arc::clone(ecs), Arc::clone(ecs));
    Services {
        sqs: sqs(sqs_service),
        ecs: Arc::new(move |operation, request| {
            let ecs = Arc::clone(&run);
            Box::pin(async move { ecs.call(operation, request).await })
        }),
        ecs_stopped: Arc::new(move |task_arn| {
            let ecs = Arc::clone(&wait);
            Box::pin(async move { ecs.stopped(&task_arn).await })
        }),
    }
}

/// SQS, for whoever sends or receives inside the stack.
pub(crate) fn sqs(service: &Arc<Sqs>) -> Call {
    let service = Arc::clone(service);
    Arc::new(move |operation, request| {
        let sqs = Arc::clone(&service);
        Box::pin(async move { sqs.call(operation, request).await })
    })
}

/// SQS behind the port.
pub(crate) fn sqs_service(service: &Arc<Sqs>) -> JsonService {
    let service = Arc::clone(service);
    JsonService {
        call: Arc::new(move |operation, request| {
            let sqs = Arc::clone(&service);
            Box::pin(async move { sqs.call(&operation, request).await })
        }),
        namespace: sqs::NAMESPACE,
        query_error: Some(sqs::query_error_code),
    }
}

/// Step Functions behind the port.
pub(crate) fn states_service(service: &Arc<States>) -> JsonService {
    let service = Arc::clone(service);
    JsonService {
        call: Arc::new(move |operation, request| {
            let states = Arc::clone(&service);
            Box::pin(async move { states.call(&operation, request).await })
        }),
        namespace: "com.amazonaws.stepfunctions",
        query_error: None,
    }
}

/// ECS behind the port.
pub(crate) fn ecs_service(service: &Arc<Ecs>) -> JsonService {
    let service = Arc::clone(service);
    JsonService {
        call: Arc::new(move |operation, request| {
            let ecs = Arc::clone(&service);
            Box::pin(async move { ecs.call(&operation, request).await })
        }),
        namespace: "com.amazonaws.ecs",
        query_error: None,
    }
}

/// CloudWatch Logs behind the port.
pub(crate) fn logs_service(service: &Arc<Logs>) -> JsonService {
    let service = Arc::clone(service);
    JsonService {
        call: Arc::new(move |operation, request| {
            let logs = Arc::clone(&service);
            Box::pin(async move { logs.call(operation, request).await })
        }),
        namespace: logs::NAMESPACE,
        query_error: None,
    }
}

/// EventBridge behind the port.
pub(crate) fn events_service(rule: &Arc<Rule>) -> JsonService {
    let rule = Arc::clone(rule);
    JsonService {
        call: Arc::new(move |operation, request| {
            let answer = rule.call(&operation, request);
            Box::pin(async move { answer })
        }),
        namespace: "com.amazonaws.events",
        query_error: None,
    }
}

/// What points an SDK in a child at this stack, and at nothing else: the profile of whoever started it must not matter.
pub(crate) fn aws_environment(endpoint: &str, credentials: &Credentials) -> Vec<(String, String)> {
    [
        ("AWS_ENDPOINT_URL", endpoint),
        ("AWS_REGION", REGION),
        ("AWS_ACCESS_KEY_ID", &credentials.access_key),
        ("AWS_SECRET_ACCESS_KEY", &credentials.secret_key),
        ("AWS_CONFIG_FILE", "/dev/null"),
        ("AWS_SHARED_CREDENTIALS_FILE", "/dev/null"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into()
}
