//! S3: objects are files below a directory (`s3s-fs`), requests are signed and their signatures are verified (`s3s`).
//! A CSV that is created under `imports/`, as it is or compressed, is announced to a queue, as a bucket's event notification
//! does it.
//!
//! Differences from AWS: path-style addresses only; no versions; one pair of keys, which may do everything; a key is a
//! path, so that it has no empty, `.` or `..` parts, an object is not also a folder, and it is shorter than on AWS (see
//! [`keys`]). Operations that `s3s-fs` does not have are answered with `NotImplemented`.

mod body;
mod create_only;
mod keys;
mod notification;
mod objects;

use std::path::Path;

use anyhow::{Context as _, bail};
use s3s::auth::SimpleAuth;
use s3s::service::{S3Service, S3ServiceBuilder};
use s3s_fs::FileSystem;

pub use notification::Notification;

use crate::credentials::Credentials;

/// Opens the service on `dir`, which is created if need be.
///
/// # Errors
/// Where the directory cannot be used.
pub fn open(
    dir: &Path,
    credentials: &Credentials,
    notification: Option<Notification>,
) -> anyhow::Result<S3Service> {
    std::fs::create_dir_all(dir).with_context(|| format!("failed to create {}", dir.display()))?;
    let files = FileSystem::new(dir)
        .map_err(|error| anyhow::anyhow!("failed to open the objects in {}: {error:?}", dir.display()))?;
    let mut service = S3ServiceBuilder::new(objects::Objects::new(files, dir.to_owned(), notification));
    service.set_auth(SimpleAuth::from_single(&*credentials.access_key, &*credentials.secret_key));
    service.set_access(keys::Keys);
    Ok(service.build())
}

/// Creates a bucket below `dir`, unless there is one of this name.
///
/// # Errors
/// Where S3 would not take the name, or the directory cannot be written.
pub fn create_bucket(dir: &Path, name: &str) -> anyhow::Result<()> {
    if !s3s::path::check_bucket_name(name) {
        bail!("{name:?} is no name for a bucket");
    }
    let path = dir.join(name);
    std::fs::create_dir_all(&path).with_context(|| format!("failed to create {}", path.display()))
}
