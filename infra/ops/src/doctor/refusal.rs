//! What it means that a service did not answer a call as hoped.

use aws_sdk_sfn::error::ProvideErrorMetadata;

use super::check::Check;
use crate::error::chain;

/// The check of a call that failed. `action` is the permission that it needs, as IAM names it; `on` what it was about.
pub(super) fn of<E>(check: &'static str, action: &str, on: &str, error: &E) -> Check
where
    E: ProvideErrorMetadata + std::error::Error,
{
    let Some(code) = error.code() else {
        let says = format!("{on} cannot be reached: {}", chain(error));
        return Check::fail(check, says, "look at the network, the region and endpoint_url; then try again");
    };
    by_code(check, action, on, code, error.message().unwrap_or_default())
}

fn by_code(check: &'static str, action: &str, on: &str, code: &str, message: &str) -> Check {
    let code = code.rsplit(['.', '#']).next().unwrap_or(code);
    match code {
        "AccessDenied" | "AccessDeniedException" | "AuthorizationError" | "UnauthorizedOperation" => {
            Check::fail(
                check,
                format!("{action} is not allowed on {on} ({code})"),
                format!(
                    "allow {action} on it to the credentials in use, by IAM or the resource's own policy"
                ),
            )
        }
        "UnrecognizedClientException"
        | "InvalidClientTokenId"
        | "InvalidAccessKeyId"
        | "ExpiredToken"
        | "ExpiredTokenException"
        | "InvalidSignatureException"
        | "SignatureDoesNotMatch"
        | "MissingAuthenticationToken" => Check::fail(
            check,
            format!("the credentials are not accepted for {on} ({code})"),
            "sign in again, or name another profile; keys of an embedded stack open no other",
        ),
        "QueueDoesNotExist"
        | "NonExistentQueue"
        | "StateMachineDoesNotExist"
        | "NoSuchBucket"
        | "ClusterNotFoundException"
        | "ResourceNotFoundException"
        | "InvalidArn" => Check::fail(
            check,
            format!("there is no {on} ({code})"),
            "correct its name in baton.toml, or deploy what is missing",
        ),
        "ClientException" => {
            Check::fail(check, format!("{on}: {message} ({code})"), "deploy what is missing")
        }
        _ => Check::fail(
            check,
            format!("{action} on {on} failed: {code}: {message}"),
            "mend what the error names",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::super::check::Status;
    use super::*;

    #[test]
    fn a_call_that_is_refused_is_named_with_the_permission_that_is_missing() {
        for code in ["AccessDenied", "com.amazonaws.sqs#AccessDeniedException"] {
            let check = by_code("queue", "sqs:GetQueueAttributes", "imports", code, "no");
            assert!(check.says.contains("sqs:GetQueueAttributes is not allowed on imports"), "{check:?}");
            assert!(check.advice.unwrap().contains("allow sqs:GetQueueAttributes"));
        }
    }

    #[test]
    fn what_is_missing_and_who_is_not_known_are_told_apart() {
        let says = |code| by_code("queue", "sqs:GetQueueAttributes", "queue imports", code, "m").says;
        assert!(says("AWS.SimpleQueueService.NonExistentQueue").starts_with("there is no queue imports"));
        assert!(says("ExpiredToken").starts_with("the credentials are not accepted"));
        let other = by_code("queue", "sqs:GetQueueAttributes", "imports", "InternalError", "it broke");
        assert_eq!(other.status, Status::Fail);
        assert!(other.says.contains("InternalError: it broke"), "{other:?}");
    }
}
