//! Which keys can be paths. Everything that is asked of an object passes here first.

use s3s::access::{S3Access, S3AccessContext};
use s3s::path::S3Path;
use s3s::{S3Result, s3_error};

/// The longest name of a file, in bytes, on every file system in use.
const MAX_FILE_NAME: usize = 255;

/// Checks requests before they reach the file system.
pub(super) struct Keys;

#[async_trait::async_trait]
impl S3Access for Keys {
    async fn check(&self, context: &mut S3AccessContext<'_>) -> S3Result<()> {
        if context.credentials().is_none() {
            return Err(s3_error!(AccessDenied, "Signature is required"));
        }
        match context.s3_path() {
            S3Path::Object { bucket, key } => check(bucket, key),
            S3Path::Root | S3Path::Bucket { .. } => Ok(()),
        }
    }
}

/// Refuses a key that would lead out of its bucket, or whose name would be too long for a file.
pub(super) fn check(bucket: &str, key: &str) -> S3Result<()> {
    // One slash at the end is a folder as S3's console makes it.
    let parts = key.strip_suffix('/').unwrap_or(key).split('/');
    if key.contains('\0') || parts.into_iter().any(|part| matches!(part, "" | "." | "..")) {
        return Err(s3_error!(
            InvalidArgument,
            "baton's embedded stack keeps objects as files: a key has no empty, `.` or `..` parts"
        ));
    }
    // `s3s-fs` keeps an object's metadata in a file that is named after it; longest for a part of an upload.
    let name = ".bucket-.object-.upload-.metadata.json".len() + 36 + base64(bucket) + base64(key);
    if name > MAX_FILE_NAME {
        return Err(s3_error!(
            KeyTooLongError,
            "baton's embedded stack keeps objects as files: this key is too long for the name of one"
        ));
    }
    Ok(())
}

/// The length of a text in base64 without padding.
fn base64(text: &str) -> usize {
    (text.len() * 4).div_ceil(3)
}

#[cfg(test)]
mod tests {
    use super::check;

    #[test]
    fn a_key_that_leads_elsewhere_is_refused() {
        for key in ["../other/a.csv", "a/../../b", "/etc/passwd", "a//b", "./a", "a/.", "..", "a\0"] {
            assert!(check("bucket", key).is_err(), "{key} was accepted");
        }
        for key in ["imports/people/a b.csv", "folder/", "a..b/c", "...", "imports/people/名簿.csv"] {
            assert!(check("bucket", key).is_ok(), "{key} was refused");
        }
    }

    #[test]
    fn a_key_may_be_as_long_as_its_files_name_allows() {
        assert!(check("bucket", &"k".repeat(129)).is_ok());
        assert!(check("bucket", &"k".repeat(140)).is_err());
    }
}
