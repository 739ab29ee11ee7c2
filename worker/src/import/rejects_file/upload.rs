//! The rejects file on its way to S3. What may pass is tried again for minutes: a load would be lost for it.

use std::error::Error;
use std::future::Future;
use std::time::Instant;

use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use statemachine::{FailureName, Source};
use tokio::runtime::Handle;

use crate::failure::Failure;
use crate::import::progress::Progress;
use crate::import::reading::interrupted;
use crate::import::source::patience::{LATER, Patience};
use crate::multipart::{Calls, ObjectWriter};

/// What the object says of itself.
const CONTENT_TYPE: &str = "text/csv";

/// The object on its way.
pub(super) struct Upload<'a> {
    runtime: &'a Handle,
    place: Source,
    writer: ObjectWriter<Patiently<'a>>,
}

/// Makes a call until S3 has answered it, or refuses it, or is away for too long.
struct Patiently<'a> {
    progress: &'a Progress,
    place: Source,
}

impl<'a> Upload<'a> {
    pub(super) fn new(
        s3: &aws_sdk_s3::Client,
        runtime: &'a Handle,
        progress: &'a Progress,
        place: Source,
    ) -> Self {
        let calls = Patiently { progress, place: place.clone() };
        let writer = ObjectWriter::new(s3.clone(), place.clone(), Some(CONTENT_TYPE), calls);
        Self { runtime, place, writer }
    }

    /// Appends bytes. Blocks while a part is sent.
    pub(super) fn push(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        match self.writer.hold(bytes) {
            true => self.runtime.block_on(self.writer.write_part()),
            false => Ok(()),
        }
    }

    /// Sends what is left; then the object is there.
    pub(super) fn finish(mut self) -> Result<Source, Failure> {
        self.runtime.block_on(self.writer.finish())?;
        Ok(self.place.clone())
    }
}

impl Calls for Patiently<'_> {
    type Error = Failure;

    async fn make<T, E, F>(&self, call: impl Fn() -> F + Send) -> Result<T, Failure>
    where
        T: Send,
        E: Error + ProvideErrorMetadata + Send + 'static,
        F: Future<Output = Result<T, SdkError<E, HttpResponse>>> + Send,
    {
        let mut patience = Patience::new(LATER);
        loop {
            let error = match call().await {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            if self.progress.stop_requested() {
                return Err(interrupted());
            }
            let pause = patience.pause(Instant::now()).filter(|_| may_pass(&error) && !is_gone(&error));
            let Some(pause) = pause else {
                return Err(self.failure(&error));
            };
            tracing::warn!(
                error = error.code(),
                "Writing the rejected rows broke off, trying again in {pause:?}"
            );
            self.progress.read_on();
            tokio::time::sleep(pause).await;
        }
    }

    fn too_large(&self) -> Failure {
        let cause = format!(
            "the rejected rows take more than one object of S3 can have, {}; correct the file, or import it in parts",
            self.place
        );
        Failure::named(FailureName::Internal, cause)
    }
}

impl Patiently<'_> {
    /// What it means that S3 did not take something.
    fn failure<E: ProvideErrorMetadata>(&self, error: &SdkError<E>) -> Failure {
        let code = error.code().unwrap_or("no answer");
        let name = if may_pass(error) { FailureName::SourceUnavailable } else { FailureName::SourceDenied };
        Failure::named(name, format!("failed to write the rejected rows to {}: {code}", self.place))
    }
}

/// Whether S3 may take the same call later: it has not answered, is busy, or has a fault.
fn may_pass<E: ProvideErrorMetadata>(error: &SdkError<E>) -> bool {
    let status = error.raw_response().map_or(0, |response| response.status().as_u16());
    let passes = ["RequestTimeout", "RequestTimeTooSkewed", "NoSuchUpload"];
    matches!(status, 0 | 200 | 408 | 429 | 500..) || passes.into_iter().any(|code| error.code() == Some(code))
}

/// Whether the parts that were sent are no longer kept: another attempt sends them anew, this one cannot.
fn is_gone<E: ProvideErrorMetadata>(error: &SdkError<E>) -> bool {
    error.code() == Some("NoSuchUpload")
}

impl Drop for Upload<'_> {
    fn drop(&mut self) {
        if let Some(abort) = self.writer.give_up() {
            let _ = self.runtime.block_on(abort.send());
        }
    }
}
