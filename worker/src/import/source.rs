//! The object in S3 as a blocking reader: a task on the runtime fetches it and feeds a channel of a few chunks, the
//! import reads from the other end. So the network is read beside the parsing, and at most two megabytes wait.

mod fetch;

use std::io::{self, Read};
use std::sync::Arc;

use bytes::{Buf as _, Bytes};
use tokio::runtime::Handle;
use tokio::sync::mpsc;

use crate::failure::Failure;
use crate::job::Job;
use crate::job::progress::Progress;
use fetch::Fetch;

/// The most that one chunk has, in bytes.
const CHUNK_BYTES: usize = 256 * 1024;

/// How many chunks may wait.
const CHUNKS: usize = 8;

/// The object's bytes, in order, each once.
pub(crate) struct Source {
    chunks: mpsc::Receiver<Result<Bytes, Failure>>,
    current: Bytes,
    progress: Arc<Progress>,
}

impl Source {
    /// Begins to fetch the object. What is wrong with it comes out of the first read. The task ends with this reader.
    pub(crate) fn open(job: &Job, s3: &aws_sdk_s3::Client, runtime: &Handle) -> Self {
        let (sender, chunks) = mpsc::channel(CHUNKS);
        let fetch = Fetch::new(s3.clone(), &job.source, job.version_id.clone(), Arc::clone(&job.progress));
        runtime.spawn(fetch.run(sender));
        Self { chunks, current: Bytes::new(), progress: Arc::clone(&job.progress) }
    }
}

impl Read for Source {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.current.is_empty() {
            match self.chunks.blocking_recv() {
                Some(Ok(chunk)) => self.current = chunk,
                Some(Err(failure)) => return Err(io::Error::other(failure)),
                None => return Ok(0),
            }
        }
        let length = self.current.len().min(buffer.len());
        self.current.copy_to_slice(buffer.get_mut(..length).unwrap_or_default());
        self.progress.add_bytes(length as u64);
        Ok(length)
    }
}
