//! The object in S3 as a blocking reader: a task on the runtime fetches it and feeds a channel of a few chunks, the
//! import reads from the other end. So the network is read beside the parsing, and at most two megabytes wait.

mod fetch;
pub(crate) mod patience;

use std::io::{self, Read};
use std::sync::{Arc, OnceLock};

use bytes::{Buf as _, Bytes};
use statemachine::FailureName;
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tracing::Instrument as _;

use crate::failure::Failure;
use crate::import::import_job::ImportJob;
use crate::import::progress::Progress;
use fetch::Fetch;

/// The most that one chunk has, in bytes.
const CHUNK_BYTES: usize = 256 * 1024;

/// How many chunks may wait.
const CHUNKS: usize = 8;

/// What is learnt of an object while it is read.
#[derive(Debug, Default)]
pub(crate) struct Object {
    etag: OnceLock<String>,
    sha256: OnceLock<String>,
}

impl Object {
    /// Its ETag, once the first response is there: whoever reads it again, reads this very one.
    pub(crate) fn etag(&self) -> Option<&str> {
        self.etag.get().map(String::as_str)
    }

    /// SHA-256 of its bytes, in hexadecimal digits, once the last one has been fetched.
    pub(crate) fn sha256(&self) -> Option<&str> {
        self.sha256.get().map(String::as_str)
    }
}

/// The object's bytes, in order, each once.
pub(crate) struct Source {
    pieces: mpsc::Receiver<Result<Piece, Failure>>,
    current: Bytes,
    ended: bool,
    /// Where the bytes are counted.
    progress: Option<Arc<Progress>>,
    object: Arc<Object>,
}

/// What the task feeds. The end is said: a channel that merely closes means a task that was cut off, and must not pass for
/// a file that is shorter.
#[derive(Debug)]
enum Piece {
    Bytes(Bytes),
    End,
}

impl Source {
    /// Begins to fetch the object. What is wrong with it comes out of the first read. The task ends with this reader.
    pub(crate) fn open(job: &ImportJob, s3: &aws_sdk_s3::Client, runtime: &Handle) -> Self {
        let object = Arc::<Object>::default();
        let fetch = Fetch::new(s3.clone(), job, Arc::clone(&object));
        Self::fetched_by(fetch, runtime, object, Some(Arc::clone(&job.progress)))
    }

    /// Begins to fetch the object once more, if it is still the one that was read before.
    pub(crate) fn open_again(
        job: &ImportJob,
        s3: &aws_sdk_s3::Client,
        runtime: &Handle,
        before: &Object,
    ) -> Self {
        let object = Arc::<Object>::default();
        let fetch = Fetch::again(s3.clone(), job, Arc::clone(&object), before);
        Self::fetched_by(fetch, runtime, object, None)
    }

    fn fetched_by(
        fetch: Fetch,
        runtime: &Handle,
        object: Arc<Object>,
        progress: Option<Arc<Progress>>,
    ) -> Self {
        let (sender, pieces) = mpsc::channel(CHUNKS);
        // Within the span of the import: a task does not have its spawner's.
        runtime.spawn(fetch.run(sender).in_current_span());
        Self { pieces, current: Bytes::new(), ended: false, progress, object }
    }

    /// What is learnt of the object while it is read.
    pub(crate) fn object(&self) -> Arc<Object> {
        Arc::clone(&self.object)
    }
}

impl Read for Source {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.current.is_empty() && !self.ended {
            match self.pieces.blocking_recv() {
                Some(Ok(Piece::Bytes(bytes))) => self.current = bytes,
                Some(Ok(Piece::End)) => self.ended = true,
                Some(Err(failure)) => return Err(io::Error::other(failure)),
                None => {
                    let cause = "reading the source was cut off within the worker";
                    return Err(io::Error::other(Failure::named(FailureName::SourceUnavailable, cause)));
                }
            }
        }
        let length = self.current.len().min(buffer.len());
        self.current.copy_to_slice(buffer.get_mut(..length).unwrap_or_default());
        if let Some(progress) = &self.progress {
            progress.add_bytes(length as u64);
        }
        Ok(length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pieces: Vec<Piece>) -> io::Result<String> {
        let (sender, receiver) = mpsc::channel(8);
        pieces.into_iter().for_each(|piece| sender.try_send(Ok(piece)).unwrap());
        drop(sender);
        let object = Arc::default();
        let mut source =
            Source { pieces: receiver, current: Bytes::new(), ended: false, progress: None, object };
        let mut text = String::new();
        source.read_to_string(&mut text).map(|_| text)
    }

    #[test]
    fn a_fetch_that_is_cut_off_does_not_pass_for_a_shorter_file() {
        let bytes = |text: &'static str| Piece::Bytes(Bytes::from_static(text.as_bytes()));
        assert_eq!(read(vec![bytes("id\n"), bytes("1\n"), Piece::End]).unwrap(), "id\n1\n");
        assert!(read(vec![bytes("id\n")]).unwrap_err().to_string().contains("cut off"));
    }
}
