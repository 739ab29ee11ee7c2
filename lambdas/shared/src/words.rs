//! What an error of an AWS call is called in the log.

use aws_sdk_sqs::error::{ProvideErrorMetadata, SdkError};

/// The name of an error. Its message is left out: it may quote the request, and the request has the message's body.
pub fn name_of<E: ProvideErrorMetadata, R>(error: &SdkError<E, R>) -> String {
    match error {
        SdkError::ServiceError(service) => {
            service.err().code().unwrap_or("an error without a name").to_owned()
        }
        SdkError::TimeoutError(_) => "no answer in time".to_owned(),
        SdkError::DispatchFailure(_) => "no connection".to_owned(),
        SdkError::ResponseError(_) => "an answer that cannot be read".to_owned(),
        _ => "the request could not be built".to_owned(),
    }
}
