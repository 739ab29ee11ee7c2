//! An object that is written while its size is not known: in parts, once there is more than one part's worth. What may pass is
//! tried again for minutes: a load would be lost for it.

use std::future::Future;
use std::time::Instant;

use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart};
use bytes::Bytes;
use statemachine::{FailureName, Source};
use tokio::runtime::Handle;

use crate::failure::Failure;
use crate::import::reading::interrupted;
use crate::import::source::patience::{LATER, Patience};
use crate::job::progress::Progress;

/// The size of the first parts, in bytes; S3 takes no smaller ones than 5 MiB, but for the last.
const PART_BYTES: usize = 6 * 1024 * 1024;

/// How many of them there are: those that follow are larger, so that 90 GiB can be written, and a small file takes little
/// memory.
const SMALL_PARTS: usize = 5_000;
const LARGE_PART_BYTES: usize = 2 * PART_BYTES;

/// The most parts that an object has ("Amazon S3 multipart upload limits").
const MAX_PARTS: usize = 10_000;

/// What the object says of itself.
const CONTENT_TYPE: &str = "text/csv";

/// An object on its way.
pub(super) struct Upload<'a> {
    s3: &'a aws_sdk_s3::Client,
    runtime: &'a Handle,
    progress: &'a Progress,
    place: Source,
    part: Vec<u8>,
    multipart: Option<Multipart>,
}

struct Multipart {
    id: String,
    parts: Vec<CompletedPart>,
}

impl<'a> Upload<'a> {
    pub(super) fn new(
        s3: &'a aws_sdk_s3::Client,
        runtime: &'a Handle,
        progress: &'a Progress,
        place: Source,
    ) -> Self {
        Self { s3, runtime, progress, place, part: Vec::new(), multipart: None }
    }

    /// Appends bytes. Blocks while a part is sent.
    pub(super) fn push(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        self.part.extend_from_slice(bytes);
        let parts = self.multipart.as_ref().map_or(0, |multipart| multipart.parts.len());
        if self.part.len() >= part_bytes(parts) { self.send_part() } else { Ok(()) }
    }

    /// Sends what is left; then the object is there.
    pub(super) fn finish(mut self) -> Result<Source, Failure> {
        if self.multipart.is_some() && !self.part.is_empty() {
            self.send_part()?;
        }
        let (bucket, key) = (&self.place.bucket, &self.place.key);
        match &self.multipart {
            None => {
                let body = Bytes::from(std::mem::take(&mut self.part));
                self.patiently(|| {
                    let put = self.s3.put_object().bucket(bucket).key(key).content_type(CONTENT_TYPE);
                    put.body(body.clone().into()).send()
                })?;
            }
            Some(Multipart { id, parts }) => {
                let parts = CompletedMultipartUpload::builder().set_parts(Some(parts.clone())).build();
                let complete = self.s3.complete_multipart_upload().bucket(bucket).key(key).upload_id(id);
                let complete = complete.multipart_upload(parts);
                self.patiently(|| complete.clone().send())?;
            }
        }
        self.multipart = None;
        Ok(self.place.clone())
    }

    fn send_part(&mut self) -> Result<(), Failure> {
        let (bucket, key) = (&self.place.bucket, &self.place.key);
        if self.multipart.is_none() {
            let create = self.s3.create_multipart_upload().bucket(bucket).key(key).content_type(CONTENT_TYPE);
            let created = self.patiently(|| create.clone().send())?;
            let id = created.upload_id.unwrap_or_default();
            self.multipart = Some(Multipart { id, parts: Vec::new() });
        }
        let Some(multipart) = &self.multipart else { return Ok(()) };
        if multipart.parts.len() >= MAX_PARTS {
            let cause = format!(
                "the rejected rows take more than one object of S3 can have, {}; correct the file, or import it in parts",
                self.place
            );
            return Err(Failure::named(FailureName::Internal, cause));
        }
        let number = multipart.parts.len() as i32 + 1;
        let body = Bytes::from(std::mem::take(&mut self.part));
        let sent = self.patiently(|| {
            let send = self.s3.upload_part().bucket(bucket).key(key).upload_id(&multipart.id);
            send.part_number(number).body(body.clone().into()).send()
        })?;
        let part = CompletedPart::builder().part_number(number).set_e_tag(sent.e_tag).build();
        if let Some(multipart) = &mut self.multipart {
            multipart.parts.push(part);
        }
        Ok(())
    }

    /// Makes a call until S3 has answered it, or refuses it, or is away for too long.
    fn patiently<T, E, F>(&self, call: impl Fn() -> F) -> Result<T, Failure>
    where
        E: ProvideErrorMetadata,
        F: Future<Output = Result<T, SdkError<E>>>,
    {
        let mut patience = Patience::new(LATER);
        loop {
            let error = match self.runtime.block_on(call()) {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            if self.progress.stop_requested() {
                return Err(interrupted());
            }
            let Some(pause) = patience.pause(Instant::now()).filter(|_| may_pass(&error) && !is_gone(&error))
            else {
                return Err(self.failure(&error));
            };
            tracing::warn!(
                error = error.code(),
                "Writing the rejected rows broke off, trying again in {pause:?}"
            );
            self.progress.read_on();
            self.runtime.block_on(async { tokio::time::sleep(pause).await });
        }
    }

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

/// How large a part is behind so many others.
fn part_bytes(parts: usize) -> usize {
    if parts < SMALL_PARTS { PART_BYTES } else { LARGE_PART_BYTES }
}

impl Drop for Upload<'_> {
    fn drop(&mut self) {
        // Parts of an object that is never completed would be paid for.
        if let Some(Multipart { id, .. }) = self.multipart.take() {
            let abort = self.s3.abort_multipart_upload().bucket(&self.place.bucket).key(&self.place.key);
            let _ = self.runtime.block_on(abort.upload_id(id).send());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rejects_file_may_be_as_large_as_most_sources() {
        let bytes: usize = (0..MAX_PARTS).map(part_bytes).sum();
        assert!(bytes > 90_000_000_000 && (0..MAX_PARTS).all(|parts| part_bytes(parts) >= 5 * 1024 * 1024));
    }
}
