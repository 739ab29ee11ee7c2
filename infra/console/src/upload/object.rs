//! The file as it lies in S3. A form names it by its key, which is believed only as far as it is one of an upload.

use anyhow::Context as _;
use ops::error::of_aws;
use ops::target::Target;
use statemachine::Source;

use crate::fields::Fields;
use crate::options::Problem;

/// Where uploads lie.
const PREFIX: &str = "uploads/";

/// A file that was uploaded.
pub(super) struct Object {
    source: Source,
}

impl Object {
    /// The object that the form names, if it is there.
    pub(super) async fn of(target: &Target, fields: &Fields) -> anyhow::Result<Result<Self, Problem>> {
        let Some(key) = fields.get("object") else {
            return Ok(Err(Problem::of("file", "Choose a file.")));
        };
        let gone = || Problem::of("file", "The file that was uploaded is no longer there; choose it again.");
        if !is_of_upload(key) {
            return Ok(Err(gone()));
        }
        let bucket = target.resources.bucket.clone();
        match target.s3.head_object().bucket(&bucket).key(key).send().await {
            Ok(_) => Ok(Ok(Self { source: Source { bucket, key: key.to_owned() } })),
            Err(error) if error.as_service_error().is_some_and(|error| error.is_not_found()) => {
                Ok(Err(gone()))
            }
            Err(error) => {
                Err(of_aws(error)).with_context(|| format!("failed to look at s3://{bucket}/{key}"))
            }
        }
    }

    pub(super) fn source(&self) -> &Source {
        &self.source
    }

    /// The name of the file.
    pub(super) fn name(&self) -> &str {
        name_of(&self.source.key)
    }
}

/// Whether a key is that of an upload: `uploads/<id>/<name>`.
pub(super) fn is_of_upload(key: &str) -> bool {
    let parts: Vec<_> = key.strip_prefix(PREFIX).into_iter().flat_map(|rest| rest.split('/')).collect();
    parts.len() == 2 && parts.iter().all(|part| !part.is_empty() && !part.starts_with('.'))
}

/// The name of a file in S3.
pub(super) fn name_of(key: &str) -> &str {
    key.rsplit('/').next().unwrap_or(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_can_name_nothing_but_an_upload() {
        assert!(is_of_upload("uploads/upload-1/顧客.csv"));
        for key in [
            "uploads/a",
            "uploads//a",
            "uploads/a/../b",
            "uploads/../b",
            "imports/a/b.csv",
            "uploads/a/b/c",
            "",
        ] {
            assert!(!is_of_upload(key), "{key}");
        }
    }
}
