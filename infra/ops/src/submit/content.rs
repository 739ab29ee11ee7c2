//! Whether a file has the content that an import has read, or will read.

use std::path::Path;

use anyhow::Context as _;
use sha2::{Digest as _, Sha256};
use statemachine::Source;
use tokio::fs::File;
use tokio::io::AsyncReadExt as _;

use crate::error::of_aws;
use crate::target::Target;

/// Whether the file is the object at `source`, byte for byte; none where there is no object. Its ETag or its checksums tell
/// that in some buckets only.
pub(super) async fn is_at(target: &Target, source: &Source, path: &Path) -> anyhow::Result<Option<bool>> {
    let got = target.s3.get_object().bucket(&source.bucket).key(&source.key).send().await;
    let object = match got {
        Ok(object) => object,
        Err(error) if error.as_service_error().is_some_and(|error| error.is_no_such_key()) => {
            return Ok(None);
        }
        Err(error) => {
            return Err(of_aws(error)).with_context(|| format!("failed to read {source}"));
        }
    };
    let reading = || format!("failed to read {}", path.display());
    let mut file = File::open(path).await.with_context(reading)?;
    let length = file.metadata().await.with_context(reading)?.len();
    if object.content_length.is_some_and(|of_object| u64::try_from(of_object) != Ok(length)) {
        return Ok(Some(false));
    }
    let mut body = object.body;
    let mut ours = Vec::new();
    while let Some(theirs) = body.try_next().await.with_context(|| format!("failed to read {source}"))? {
        ours.clear();
        let most = u64::try_from(theirs.len()).unwrap_or(u64::MAX);
        (&mut file).take(most).read_to_end(&mut ours).await.with_context(reading)?;
        if ours != theirs {
            return Ok(Some(false));
        }
    }
    let is_at_its_end = file.read(&mut [0]).await.with_context(reading)? == 0;
    Ok(Some(is_at_its_end))
}

/// The file's SHA-256, in hexadecimal digits.
pub(super) async fn sha256(path: &Path) -> anyhow::Result<String> {
    let path = path.to_owned();
    tokio::task::spawn_blocking(move || hash(&path)).await.context("failed to read the file")?
}

fn hash(path: &Path) -> anyhow::Result<String> {
    let reading = || format!("failed to read {}", path.display());
    let mut file = std::fs::File::open(path).with_context(reading)?;
    let mut hash = Sha256::new();
    std::io::copy(&mut file, &mut hash).with_context(reading)?;
    Ok(format!("{:x}", hash.finalize()))
}
