//! Objects that are written only where none is yet (`If-None-Match: *`): a condition that `s3s-fs` lacks.

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use s3s::dto::{ETagCondition, PutObjectInput};
use s3s::{S3Result, s3_error};

/// The objects that are being written so.
#[derive(Default)]
pub(super) struct CreateOnly(Mutex<HashSet<PathBuf>>);

/// Lets others write the object again once it is dropped.
pub(super) struct Writing<'a> {
    all: &'a CreateOnly,
    path: PathBuf,
}

impl CreateOnly {
    /// Holds the condition of a request, if it has one, to the object that has this path. To be kept until the object is there.
    pub(super) fn hold(&self, input: &PutObjectInput, path: PathBuf) -> S3Result<Option<Writing<'_>>> {
        match &input.if_none_match {
            None => return Ok(None),
            Some(ETagCondition::Any) => {}
            Some(ETagCondition::ETag(_)) => {
                return Err(s3_error!(NotImplemented, "If-None-Match of an upload is * or nothing"));
            }
        }
        // First, so that of two requests at once the second one either sees the object or is refused.
        if !self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(path.clone()) {
            return Err(s3_error!(OperationAborted, "The object is being written by another request"));
        }
        let writing = Writing { all: self, path };
        if writing.path.exists() {
            return Err(s3_error!(PreconditionFailed, "The object is there already"));
        }
        Ok(Some(writing))
    }
}

impl Drop for Writing<'_> {
    fn drop(&mut self) {
        self.all.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.path);
    }
}
