//! An object of S3 that is written while its size is not known: by one request where it is small, else in parts.

use std::error::Error;
use std::future::Future;

use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::operation::abort_multipart_upload::builders::AbortMultipartUploadFluentBuilder;
use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart};
use bytes::Bytes;
use statemachine::Source;

/// The size of the first parts, in bytes; S3 takes no smaller ones than 5 MiB, but for the last.
const PART_BYTES: usize = 6 * 1024 * 1024;

/// How many of them there are: those that follow are larger, so that 90 GiB can be written, and a small file takes little
/// memory.
const SMALL_PARTS: usize = 5_000;
const LARGE_PART_BYTES: usize = 2 * PART_BYTES;

/// The most parts that an object has ("Amazon S3 multipart upload limits").
const MAX_PARTS: usize = 10_000;

/// How the calls of a writer are made: how often a failed one is tried again, and what is said of it.
pub trait Calls {
    /// Why the object could not be written.
    type Error;

    /// Makes a call, perhaps more than once.
    fn make<T, E, F>(
        &self,
        call: impl Fn() -> F + Send,
    ) -> impl Future<Output = Result<T, Self::Error>> + Send
    where
        T: Send,
        E: Error + ProvideErrorMetadata + Send + 'static,
        F: Future<Output = Result<T, SdkError<E, HttpResponse>>> + Send;

    /// The object would have more parts than S3 takes.
    fn too_large(&self) -> Self::Error;
}

/// An object on its way. One that is dropped before it is finished leaves parts behind, which are paid for, unless they are
/// [given up](Self::give_up).
pub struct ObjectWriter<C> {
    s3: aws_sdk_s3::Client,
    place: Source,
    content_type: Option<&'static str>,
    calls: C,
    held: Vec<u8>,
    bytes: u64,
    /// The id of the multipart upload, once there is one.
    upload: Option<String>,
    parts: Vec<CompletedPart>,
}

impl<C: Calls> ObjectWriter<C> {
    /// An object of which nothing is written yet.
    pub fn new(s3: aws_sdk_s3::Client, place: Source, content_type: Option<&'static str>, calls: C) -> Self {
        Self { s3, place, content_type, calls, held: Vec::new(), bytes: 0, upload: None, parts: Vec::new() }
    }

    /// How many bytes were appended.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Appends bytes. `true` where they are enough for a part, which is to be [written](Self::write_part) then.
    #[must_use]
    pub fn hold(&mut self, bytes: &[u8]) -> bool {
        self.bytes += bytes.len() as u64;
        self.held.extend_from_slice(bytes);
        self.held.len() >= part_bytes(self.parts.len())
    }

    /// Writes what is held as a part.
    ///
    /// # Errors
    /// As the calls have it.
    pub async fn write_part(&mut self) -> Result<(), C::Error> {
        if self.parts.len() >= MAX_PARTS {
            return Err(self.calls.too_large());
        }
        let (bucket, key) = (&self.place.bucket, &self.place.key);
        let upload = match &self.upload {
            Some(upload) => upload.clone(),
            None => {
                let create = self.s3.create_multipart_upload().bucket(bucket).key(key);
                let create = create.set_content_type(self.content_type.map(str::to_owned));
                let created = self.calls.make(|| create.clone().send()).await?;
                self.upload.insert(created.upload_id.unwrap_or_default()).clone()
            }
        };
        let number = self.parts.len() as i32 + 1;
        let body = Bytes::from(std::mem::take(&mut self.held));
        let send = || {
            let part = self.s3.upload_part().bucket(bucket).key(key).upload_id(&upload);
            part.part_number(number).body(body.clone().into()).send()
        };
        let sent = self.calls.make(send).await?;
        self.parts.push(CompletedPart::builder().part_number(number).set_e_tag(sent.e_tag).build());
        Ok(())
    }

    /// Writes what is left. Then the object is there.
    ///
    /// # Errors
    /// As the calls have it.
    pub async fn finish(&mut self) -> Result<(), C::Error> {
        if self.upload.is_some() && !self.held.is_empty() {
            self.write_part().await?;
        }
        let (bucket, key) = (&self.place.bucket, &self.place.key);
        let Some(upload) = &self.upload else {
            let body = Bytes::from(std::mem::take(&mut self.held));
            let put = || {
                let put = self.s3.put_object().bucket(bucket).key(key);
                put.set_content_type(self.content_type.map(str::to_owned)).body(body.clone().into()).send()
            };
            return self.calls.make(put).await.map(drop);
        };
        let parts = CompletedMultipartUpload::builder().set_parts(Some(self.parts.clone())).build();
        let complete = self.s3.complete_multipart_upload().bucket(bucket).key(key).upload_id(upload);
        let complete = complete.multipart_upload(parts);
        self.calls.make(|| complete.clone().send()).await?;
        self.upload = None;
        Ok(())
    }

    /// The call that has S3 forget the parts of an object that was not finished; none where there are none.
    pub fn give_up(&mut self) -> Option<AbortMultipartUploadFluentBuilder> {
        let upload = self.upload.take()?;
        Some(
            self.s3
                .abort_multipart_upload()
                .bucket(&self.place.bucket)
                .key(&self.place.key)
                .upload_id(upload),
        )
    }
}

/// How large a part is behind so many others.
fn part_bytes(parts: usize) -> usize {
    if parts < SMALL_PARTS { PART_BYTES } else { LARGE_PART_BYTES }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_may_be_as_large_as_most_sources() {
        let bytes: usize = (0..MAX_PARTS).map(part_bytes).sum();
        assert!(bytes > 90_000_000_000 && (0..MAX_PARTS).all(|parts| part_bytes(parts) >= 5 * 1024 * 1024));
    }
}
