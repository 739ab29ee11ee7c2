//! The body of an object that is read. `s3s-fs` gives it in pieces of 4 KiB, each of which costs a hop between threads and
//! a write to the socket; for files of many megabytes that is more than everything else the stack does.

use std::io::SeekFrom;
use std::path::Path;

use s3s::dto::{GetObjectOutput, Range, StreamingBlob, Timestamp};
use s3s::{S3Result, s3_error};
use tokio::fs::File;
use tokio::io::{AsyncReadExt as _, AsyncSeekExt as _};
use tokio_util::io::ReaderStream;

/// The size of a piece, in bytes.
const PIECE_BYTES: usize = 256 * 1024;

/// Gives the response a body of larger pieces, of the same bytes.
pub(super) async fn in_large_pieces(
    path: &Path,
    range: Option<Range>,
    output: &mut GetObjectOutput,
) -> S3Result<()> {
    let replaced = || s3_error!(ServiceUnavailable, "the object was replaced while it was opened, ask again");
    let mut file = File::open(path).await.map_err(|_| replaced())?;
    let metadata = file.metadata().await.map_err(|_| replaced())?;
    if metadata.modified().ok().map(Timestamp::from) != output.last_modified {
        return Err(replaced());
    }
    let bytes = match range {
        Some(range) => range.check(metadata.len())?,
        None => 0..metadata.len(),
    };
    file.seek(SeekFrom::Start(bytes.start)).await.map_err(|_| replaced())?;
    let body = file.take(bytes.end - bytes.start);
    output.body = Some(StreamingBlob::wrap(ReaderStream::with_capacity(body, PIECE_BYTES)));
    Ok(())
}
