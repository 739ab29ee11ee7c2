//! The upload of an import's file, which never takes the place of another object: it may be the file of an import that is
//! registered, by somebody at the same time or in another database.

use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;
use aws_sdk_s3::primitives::ByteStream;
use statemachine::Source;
use tokio_util::sync::CancellationToken;

use super::content;
use super::interrupted::{Interrupted, Left};
use crate::error::of_aws;
use crate::target::Target;

/// S3's status where two requests write one key at the same time.
const CONFLICT: u16 = 409;

/// The time between two attempts then.
const PAUSE: Duration = Duration::from_millis(200);

/// How often a connection that breaks is tried again where S3 answers otherwise: a refusal in the middle of a large body looks so.
const BROKEN: u32 = 300;

/// Uploads the file, unless it is there already. Returns whether it was uploaded now. A file that something has written since it was
/// `seen`, or writes meanwhile, may be cut off in the midst of a row, or have other values than a table was made for: it is not
/// imported.
pub(super) async fn upload(
    target: &Target,
    source: &Source,
    path: &Path,
    seen: &Stamp,
    stop: &CancellationToken,
) -> anyhow::Result<bool> {
    // An upload that is given up leaves nothing in S3.
    let uploaded = tokio::select! {
        uploaded = put(target, source, path) => uploaded?,
        () = stop.cancelled() => return Err(Interrupted(Left::Nothing).into()),
    };
    if Stamp::of(path).await? == *seen {
        return Ok(uploaded);
    }
    let deleted = match uploaded {
        true => target.s3.delete_object().bucket(&source.bucket).key(&source.key).send().await.is_ok(),
        false => true,
    };
    anyhow::bail!(
        "{} was changed while it was read and uploaded, and may be cut off where it was; import it again when it is whole{}",
        path.display(),
        if deleted { String::new() } else { format!("; what was uploaded could not be deleted: {source}") }
    )
}

/// What changes when something writes a file, or takes its place.
#[derive(PartialEq, Eq)]
pub(super) struct Stamp {
    device: u64,
    number: u64,
    bytes: u64,
    written: (i64, i64),
}

impl Stamp {
    pub(super) async fn of(path: &Path) -> anyhow::Result<Self> {
        let metadata = tokio::fs::metadata(path).await;
        let metadata = metadata.with_context(|| format!("failed to look at {}", path.display()))?;
        let written = (metadata.mtime(), metadata.mtime_nsec());
        Ok(Self { device: metadata.dev(), number: metadata.ino(), bytes: metadata.len(), written })
    }

    /// Refuses a file that something has written since.
    pub(super) async fn expect_of(&self, path: &Path) -> anyhow::Result<()> {
        anyhow::ensure!(Self::of(path).await? == *self, "{} was changed while it was read", path.display());
        Ok(())
    }
}

async fn put(target: &Target, source: &Source, path: &Path) -> anyhow::Result<bool> {
    let mut broken = 0;
    let error = loop {
        let body = ByteStream::from_path(path)
            .await
            .with_context(|| format!("failed to read {}", path.display()))?;
        let put =
            target.s3.put_object().bucket(&source.bucket).key(&source.key).if_none_match("*").body(body);
        let Err(error) = put.send().await else { return Ok(true) };
        // Another command uploads the same object just now. Its upload ends, or is given up.
        let may_end = match error.raw_response() {
            Some(response) => response.status().as_u16() == CONFLICT,
            None => {
                broken += 1;
                broken <= BROKEN && matches!(content::is_at(target, source, path).await, Ok(None))
            }
        };
        if !may_end {
            break error;
        }
        tokio::time::sleep(PAUSE).await;
    };
    // Whatever the error looks like.
    match content::is_at(target, source, path).await {
        Ok(Some(true)) => Ok(false),
        Ok(Some(false)) => anyhow::bail!(
            "another file is at {source} already, and is not overwritten: an import that this database does not know may read it, or a \
             command that was killed has left it there; import {} under another --id, or without one",
            path.display()
        ),
        Ok(None) | Err(_) => {
            Err(of_aws(error)).with_context(|| format!("failed to upload {} to {source}", path.display()))
        }
    }
}
