//! The private folder of a run. It is removed when it is dropped. A program that root started may drop its user and must
//! still reach what is in it: then the folder can be passed through by all and listed by none, and the name inside, which
//! the program alone is told, is as hard to guess as a key. Otherwise the folder is closed to all others.

use std::fs::{self, File, Permissions};
use std::io::{self, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use rustix::process::geteuid;
use tempfile::TempDir;
use tracing::warn;

/// The folder, and the paths in it.
#[derive(Debug)]
pub(crate) struct Folder {
    outer: TempDir,
    inner: PathBuf,
}

impl Folder {
    /// Makes the folder below `scratch`, or where temporary files go.
    pub(crate) fn make(scratch: Option<&Path>) -> io::Result<Self> {
        let mut builder = tempfile::Builder::new();
        builder.prefix("baton-exec-");
        let outer = scratch.map_or_else(|| builder.tempdir(), |scratch| builder.tempdir_in(scratch))?;
        let (outer_mode, inner_mode) = if geteuid().is_root() { (0o711, 0o777) } else { (0o700, 0o700) };
        let inner = outer.path().join(unguessable()?);
        fs::create_dir(&inner)?;
        // Set after they were made, since the umask has a say in that.
        fs::set_permissions(&inner, Permissions::from_mode(inner_mode))?;
        fs::set_permissions(outer.path(), Permissions::from_mode(outer_mode))?;
        Ok(Self { outer, inner })
    }

    pub(crate) fn input(&self) -> PathBuf {
        self.inner.join("input.json")
    }

    pub(crate) fn progress(&self) -> PathBuf {
        self.inner.join("progress")
    }

    pub(crate) fn result(&self) -> PathBuf {
        self.inner.join("result.json")
    }

    pub(crate) fn notify(&self) -> PathBuf {
        self.inner.join("notify")
    }

    /// Removes the folder now.
    pub(crate) fn remove(self) {
        let path = self.outer.path().to_owned();
        if let Err(error) = self.outer.close() {
            warn!(%error, "Could not remove the folder {}", path.display());
        }
    }
}

/// A name of 128 random bits. Those of `tempfile` are only meant to be different.
fn unguessable() -> io::Result<String> {
    let mut random = [0; 16];
    File::open("/dev/urandom")?.read_exact(&mut random)?;
    Ok(format!("{:032x}", u128::from_ne_bytes(random)))
}
