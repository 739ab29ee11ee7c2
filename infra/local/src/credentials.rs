//! The one pair of keys that the stack knows.

use std::fmt;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use anyhow::Context as _;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// What callers sign with, and what children are given to sign with.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Credentials {
    /// The access key id, which every request names.
    pub access_key: String,
    /// The secret key. It leaves the stack only in the environment of its children.
    pub secret_key: String,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").field("access_key", &self.access_key).finish_non_exhaustive()
    }
}

impl Credentials {
    /// The keys of a stack's folder: made at its first start and kept, so that a terminal that has them in its
    /// environment goes on working. Nobody else may read them: whoever knows them may drive the stack.
    pub(crate) fn of_folder(dir: &Path) -> anyhow::Result<Self> {
        let path = dir.join("credentials.json");
        match std::fs::read(&path) {
            Ok(json) => {
                serde_json::from_slice(&json).with_context(|| format!("{} is damaged", path.display()))
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                let credentials = Self::random();
                let mut file = OpenOptions::new()
                    .create_new(true)
                    .write(true)
                    .mode(0o600)
                    .open(&path)
                    .with_context(|| format!("failed to write {}", path.display()))?;
                file.write_all(&serde_json::to_vec(&credentials)?)?;
                Ok(credentials)
            }
            Err(error) => Err(error).with_context(|| format!("failed to read {}", path.display())),
        }
    }

    fn random() -> Self {
        let random = || Uuid::new_v4().simple().to_string();
        Self { access_key: format!("BATON{}", &random()[..15].to_uppercase()), secret_key: random() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_keeps_its_keys_and_two_folders_have_different_ones() {
        let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let first = Credentials::of_folder(one.path()).unwrap();
        assert!(first == Credentials::of_folder(one.path()).unwrap());
        assert!(first != Credentials::of_folder(other.path()).unwrap());
        assert_eq!(first.access_key.len(), 20);
    }
}
