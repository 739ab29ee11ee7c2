//! An object that is written while it comes: one request where it is small, else a multipart upload of S3, which is given
//! up if the file does not come whole.

use anyhow::Context as _;
use aws_sdk_s3::Client;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart};
use ops::error::words_of_aws;
use ops::target::Target;

/// The size of a part, and so what an upload takes of the memory. S3 takes 10,000 parts.
const PART_BYTES: usize = 8 * 1024 * 1024;

/// An object on its way.
pub(super) struct Parts {
    s3: Client,
    bucket: String,
    key: String,
    held: Vec<u8>,
    bytes: u64,
    /// The id of the multipart upload, once there is one.
    upload: Option<String>,
    done: Vec<CompletedPart>,
}

impl Parts {
    pub(super) fn new(target: &Target, key: String) -> Self {
        let (s3, bucket) = (target.s3.clone(), target.resources.bucket.clone());
        Self { s3, bucket, key, held: Vec::new(), bytes: 0, upload: None, done: Vec::new() }
    }

    /// How much has come.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Takes what comes next, and writes a part when there is enough for one.
    pub(super) async fn push(&mut self, chunk: &[u8]) -> anyhow::Result<()> {
        self.bytes += chunk.len() as u64;
        self.held.extend_from_slice(chunk);
        if self.held.len() >= PART_BYTES {
            self.write_part().await?;
        }
        Ok(())
    }

    /// Writes what is left; how large the object is.
    pub(super) async fn finish(mut self) -> anyhow::Result<u64> {
        if self.upload.is_none() {
            let body = ByteStream::from(std::mem::take(&mut self.held));
            let put = self.s3.put_object().bucket(&self.bucket).key(&self.key).body(body).send().await;
            put.map_err(|error| self.failed(words_of_aws(&error)))?;
            return Ok(self.bytes);
        }
        if !self.held.is_empty() {
            self.write_part().await?;
        }
        let parts =
            CompletedMultipartUpload::builder().set_parts(Some(std::mem::take(&mut self.done))).build();
        let complete = self.s3.complete_multipart_upload().bucket(&self.bucket).key(&self.key);
        let complete = complete.set_upload_id(self.upload.clone()).multipart_upload(parts).send().await;
        complete.map_err(|error| self.failed(words_of_aws(&error)))?;
        // It is an object now: there is nothing to give up.
        self.upload = None;
        Ok(self.bytes)
    }

    async fn write_part(&mut self) -> anyhow::Result<()> {
        if self.upload.is_none() {
            let create = self.s3.create_multipart_upload().bucket(&self.bucket).key(&self.key).send().await;
            let created = create.map_err(|error| self.failed(words_of_aws(&error)))?;
            self.upload = Some(created.upload_id.context("S3 gave the upload no id")?);
        }
        let number = i32::try_from(self.done.len() + 1).context("the upload has too many parts")?;
        let body = ByteStream::from(std::mem::take(&mut self.held));
        let part = self.s3.upload_part().bucket(&self.bucket).key(&self.key).part_number(number).body(body);
        let part = part.set_upload_id(self.upload.clone()).send().await;
        let part = part.map_err(|error| self.failed(words_of_aws(&error)))?;
        self.done.push(CompletedPart::builder().part_number(number).set_e_tag(part.e_tag).build());
        Ok(())
    }

    fn failed(&self, why: impl std::fmt::Display) -> anyhow::Error {
        anyhow::anyhow!("{why}").context(format!("failed to upload to s3://{}/{}", self.bucket, self.key))
    }
}

impl Drop for Parts {
    /// Gives the upload up, also when the browser has gone and nobody waits for this any more.
    fn drop(&mut self) {
        let Some(upload) = self.upload.take() else { return };
        let abort = self.s3.abort_multipart_upload().bucket(&self.bucket).key(&self.key).upload_id(upload);
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move {
                if let Err(error) = abort.send().await {
                    tracing::warn!(error = words_of_aws(&error), "Failed to give an upload up");
                }
            });
        }
    }
}
