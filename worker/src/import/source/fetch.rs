//! `GetObject`, again from where it broke off, and always of the same object: by its version where the import names one,
//! else by the ETag of the first response. What S3 refuses for good ends the import by name; what may pass is tried again
//! here, for minutes once a load would be lost, and then by Step Functions.

use std::sync::Arc;
use std::time::{Duration, Instant};

use aws_sdk_s3::error::{ProvideErrorMetadata as _, SdkError};
use aws_sdk_s3::operation::get_object::{GetObjectError, GetObjectOutput};
use bytes::Bytes;
use sha2::{Digest as _, Sha256};
use statemachine::{FailureName, JobId, Source};
use tokio::sync::mpsc;

use super::patience::{AT_FIRST, LATER, Patience};
use super::{CHUNK_BYTES, Object, Piece};
use crate::failure::{Failure, words};
use crate::import::import_job::ImportJob;
use crate::import::progress::Progress;
use crate::import::reading::interrupted;

/// How long a connection may bring nothing before it counts as broken.
const IDLE: Duration = Duration::from_secs(30);

/// How often a wait looks at the request to stop.
const LOOK: Duration = Duration::from_millis(500);

type Sender = mpsc::Sender<Result<Piece, Failure>>;

/// One object being fetched.
pub(super) struct Fetch {
    s3: aws_sdk_s3::Client,
    bucket: String,
    key: String,
    version_id: Option<String>,
    /// The import of an upload that names no version: it is of that upload and no other.
    upload: Option<JobId>,
    progress: Arc<Progress>,
    /// The object's, from the first response.
    etag: Option<String>,
    /// The object's size in bytes, from the first response.
    total: Option<u64>,
    /// Bytes that have been passed on.
    offset: u64,
    /// What is learnt of it, for others.
    learnt: Arc<Object>,
    /// Over the bytes that have been passed on.
    hash: Sha256,
    /// What is left of it for the store.
    patience: Patience,
}

/// Why a connection ended before the object did.
enum Broken {
    /// For good.
    Failed(Failure),
    /// Perhaps not the next time; the reason, for people.
    Again(String),
    /// Nobody reads any more.
    Abandoned,
}

impl Fetch {
    pub(super) fn new(s3: aws_sdk_s3::Client, job: &ImportJob, object: Arc<Object>) -> Self {
        Self {
            s3,
            bucket: job.source.bucket.clone(),
            key: job.source.key.clone(),
            version_id: job.version_id.clone(),
            upload: Some(&job.import_id).filter(|id| job.version_id.is_none() && id.is_of_upload()).cloned(),
            progress: Arc::clone(&job.progress),
            etag: None,
            total: None,
            offset: 0,
            learnt: object,
            hash: Sha256::new(),
            patience: Patience::new(AT_FIRST),
        }
    }

    /// Fetches what was fetched before, and nothing else. The rows of the first time are in the database by now.
    pub(super) fn again(
        s3: aws_sdk_s3::Client,
        job: &ImportJob,
        object: Arc<Object>,
        before: &Object,
    ) -> Self {
        let (etag, patience) = (before.etag().map(str::to_owned), Patience::new(LATER));
        Self { etag, patience, ..Self::new(s3, job, object) }
    }

    /// Feeds the channel until the object's end, or with one failure.
    pub(super) async fn run(mut self, sender: Sender) {
        loop {
            let before = self.offset;
            let reason = match self.attempt(&sender).await {
                Ok(()) | Err(Broken::Abandoned) => return,
                Err(Broken::Failed(failure)) => return self.fail(&sender, failure).await,
                Err(Broken::Again(reason)) => reason,
            };
            if self.offset > before {
                self.patience = Patience::new(LATER);
            }
            tracing::warn!(
                source_offset = self.offset,
                reason,
                "Reading the source broke off at byte {}",
                self.offset
            );
            let Some(pause) = self.patience.pause(Instant::now()) else {
                let cause = format!(
                    "failed to read {} at byte {} for {} s: {reason}",
                    self.object(),
                    self.offset,
                    self.patience.limit().as_secs()
                );
                let failure = Failure::named(FailureName::SourceUnavailable, cause);
                return self.fail(&sender, failure).await;
            };
            // A wait that has an end: beats go on meanwhile.
            self.progress.read_on();
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = sender.closed() => return,
                () = stop_requested(&self.progress) => return self.fail(&sender, interrupted()).await,
            }
        }
    }

    async fn fail(&self, sender: &Sender, failure: Failure) {
        // A reader that is gone needs no failure.
        let _ = sender.send(Err(failure)).await;
    }

    /// One connection: asks for what is still missing, and passes on what comes.
    async fn attempt(&mut self, sender: &Sender) -> Result<(), Broken> {
        let progress = Arc::clone(&self.progress);
        let mut response = tokio::select! {
            response = self.request() => response?,
            () = sender.closed() => return Err(Broken::Abandoned),
            () = stop_requested(&progress) => return Err(Broken::Failed(interrupted())),
        };
        self.check(&response)?;
        loop {
            let chunk = tokio::select! {
                chunk = tokio::time::timeout(IDLE, response.body.next()) => chunk,
                () = sender.closed() => return Err(Broken::Abandoned),
                () = stop_requested(&progress) => return Err(Broken::Failed(interrupted())),
            };
            match chunk {
                Ok(Some(Ok(chunk))) => self.pass_on(chunk, sender).await?,
                // Every byte is here and has been passed on: what fails now is their checksum.
                Ok(Some(Err(error))) if self.total == Some(self.offset) => {
                    let cause = format!("{} arrived damaged: {}", self.object(), chain(&error));
                    return Err(Broken::Failed(Failure::named(FailureName::SourceUnavailable, cause)));
                }
                Ok(Some(Err(error))) => return Err(Broken::Again(chain(&error))),
                Ok(None) if self.total.is_some_and(|total| self.offset < total) => {
                    return Err(Broken::Again("the connection was closed".to_owned()));
                }
                Ok(None) => {
                    let digest = std::mem::take(&mut self.hash).finalize();
                    let digits = digest.iter().map(|byte| format!("{byte:02x}")).collect();
                    let _ = self.learnt.sha256.set(digits);
                    return sender.send(Ok(Piece::End)).await.map_err(|_| Broken::Abandoned);
                }
                Err(_) => return Err(Broken::Again(format!("nothing came for {} s", IDLE.as_secs()))),
            }
        }
    }

    async fn request(&self) -> Result<GetObjectOutput, Broken> {
        let mut request = self.s3.get_object().bucket(&self.bucket).key(&self.key);
        request = request.set_version_id(self.version_id.clone()).set_if_match(self.etag.clone());
        if self.offset > 0 {
            request = request.range(format!("bytes={}-", self.offset));
        }
        request.send().await.map_err(|error| self.refusal(&error))
    }

    /// Holds the response against the first one.
    fn check(&mut self, response: &GetObjectOutput) -> Result<(), Broken> {
        let etag = response.e_tag().map(str::to_owned);
        let length = response.content_length().and_then(|length| u64::try_from(length).ok());
        if self.offset == 0 && self.learnt.etag().is_none() {
            if self.etag.is_some() && self.etag != etag {
                return Err(Broken::Failed(self.changed()));
            }
            let source = Source { bucket: self.bucket.clone(), key: self.key.clone() };
            let is_meant = |upload: &JobId| upload.is_of_object(&source, etag.as_deref().unwrap_or_default());
            if !self.upload.as_ref().is_none_or(is_meant) {
                let cause = format!("{} is {}", self.object(), words::ANOTHER_UPLOAD);
                return Err(Broken::Failed(Failure::named(FailureName::SourceChanged, cause)));
            }
            if let Some(etag) = &etag {
                let _ = self.learnt.etag.set(etag.clone());
            }
            self.etag = etag;
            self.total = length;
            self.progress.set_bytes_total(length.unwrap_or(0));
            return Ok(());
        }
        if etag != self.etag
            || self.total.zip(length).is_some_and(|(total, rest)| self.offset + rest != total)
        {
            return Err(Broken::Failed(self.changed()));
        }
        // A store that does not know ranges would begin again.
        let expected = format!("bytes {}-", self.offset);
        if self.offset > 0 && !response.content_range().is_some_and(|range| range.starts_with(&expected)) {
            let cause = format!("{} broke off, and its store cannot resume it", self.object());
            return Err(Broken::Failed(Failure::named(FailureName::SourceUnavailable, cause)));
        }
        Ok(())
    }

    async fn pass_on(&mut self, mut chunk: Bytes, sender: &Sender) -> Result<(), Broken> {
        if self.total.is_some_and(|total| self.offset + chunk.len() as u64 > total) {
            return Err(Broken::Failed(self.changed()));
        }
        while !chunk.is_empty() {
            let part = chunk.split_to(chunk.len().min(CHUNK_BYTES));
            let length = part.len() as u64;
            self.hash.update(&part);
            sender.send(Ok(Piece::Bytes(part))).await.map_err(|_| Broken::Abandoned)?;
            self.offset += length;
        }
        Ok(())
    }

    /// What an error of S3 means. Source: "Error responses" in the S3 API reference.
    fn refusal(&self, error: &SdkError<GetObjectError>) -> Broken {
        let status = error.raw_response().map_or(0, |response| response.status().as_u16());
        let code = error.code().unwrap_or_default();
        let object = self.object();
        let fail = |name, cause: String| Broken::Failed(Failure::named(name, cause));
        match (status, code) {
            (_, "NoSuchBucket") => {
                fail(FailureName::SourceMissing, format!("there is no bucket {:?}", self.bucket))
            }
            (404, _) if self.version_id.is_some() => {
                fail(FailureName::SourceMissing, format!("there is no {object} of that version"))
            }
            (404, _) if self.etag.is_some() => Broken::Failed(self.changed()),
            (404, _) => fail(FailureName::SourceMissing, format!("there is no {object}")),
            // The version is a delete marker, or none at all.
            (405, _) | (400, "InvalidArgument" | "NoSuchVersion") if self.version_id.is_some() => {
                fail(FailureName::SourceMissing, format!("there is no {object} of that version"))
            }
            (400, "InvalidBucketName") => fail(
                FailureName::SourceMissing,
                format!("there is no bucket {:?}: S3 takes no such name", self.bucket),
            ),
            (400, "InvalidArgument" | "InvalidURI" | "KeyTooLongError") => fail(
                FailureName::SourceMissing,
                format!("S3 has no object {object}: it takes no such key ({code})"),
            ),
            (412, _) => Broken::Failed(self.changed()),
            // The first response had been whole; the object is shorter now.
            (416, _) => Broken::Failed(self.changed()),
            (403, "InvalidObjectState") => {
                fail(FailureName::SourceUnreadable, format!("{object} is archived, restore it first"))
            }
            // Clocks and credentials mend themselves.
            (403, "RequestTimeTooSkewed") => Broken::Again(code.to_owned()),
            (403, _) => fail(
                FailureName::SourceDenied,
                format!(
                    "S3 does not let the worker read {object}, or there is no such object and the worker may not \
                     list the bucket ({})",
                    if code.is_empty() { "403" } else { code }
                ),
            ),
            (301 | 307, _) => fail(
                FailureName::SourceDenied,
                format!("{object} lies in another region than the worker reads from"),
            ),
            _ => Broken::Again(if code.is_empty() { chain(error) } else { format!("{code} ({status})") }),
        }
    }

    fn changed(&self) -> Failure {
        let cause = format!("{} was replaced while it was read; import it again", self.object());
        Failure::named(FailureName::SourceChanged, cause)
    }

    fn object(&self) -> String {
        format!("s3://{}/{}", self.bucket, self.key)
    }
}

/// Returns when the import is to stop. It is asked, for the flag wakes nobody.
async fn stop_requested(progress: &Progress) {
    while !progress.stop_requested() {
        tokio::time::sleep(LOOK).await;
    }
}

/// An error with its sources, which say what the error itself does not.
fn chain(error: &dyn std::error::Error) -> String {
    let mut words = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        words.push_str(": ");
        words.push_str(&error.to_string());
        source = error.source();
    }
    words
}
