//! A deployment in the middle of a test: of which version the worker of the next container is. Those that run go on, as those
//! of an earlier revision of a task definition do.

use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::process::Command;

use local_stack::Config;

use crate::binaries;

/// The commit that the version before is built from.
const PREVIOUS: &str = include_str!("../upgrade/previous");

fn commit() -> &'static str {
    let commit = PREVIOUS.lines().find(|line| !line.starts_with('#')).unwrap_or_default();
    assert_eq!(commit.len(), 40, "tests/upgrade/previous names a commit by its whole id");
    commit
}

/// A file of the version before, by its path in the repository.
///
/// # Panics
/// That version has not been built.
#[must_use]
pub fn previous_file(path: &str) -> String {
    let target = binaries::folder().join("..");
    let file = target.join("previous").join(commit()).join(path);
    std::fs::read_to_string(&file)
        .unwrap_or_else(|error| panic!("{}: {error}: run `bash tests/upgrade/build`", file.display()))
}

/// A version of the worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// The one before, built by `tests/upgrade/build` from this repository's history.
    Previous,
    /// The one that stands here.
    This,
}

impl Version {
    /// Both of them.
    pub const BOTH: [Self; 2] = [Self::Previous, Self::This];

    /// The worker's path.
    ///
    /// # Panics
    /// It has not been built, or not from the commit that it should be.
    #[must_use]
    pub fn worker(self) -> PathBuf {
        let path = binaries::path(self.program());
        if self == Self::Previous {
            let said = Command::new(&path).arg("--version").output().expect("a worker tells its version");
            let said = String::from_utf8_lossy(&said.stdout).into_owned();
            let commit = commit();
            assert!(
                said.contains(&commit[..12]),
                "{} is {said}, not of {commit}: run `bash tests/upgrade/build`",
                path.display()
            );
        }
        path
    }

    /// Brings a database up to date, as this version knows it.
    ///
    /// # Panics
    /// The worker says that it failed.
    pub fn migrate(self, database_url: &str) {
        let mut command = Command::new(self.worker());
        let done = command.arg("migrate").env("DATABASE_URL", database_url).output().expect("it can be run");
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stdout));
    }

    pub(crate) fn program(self) -> &'static str {
        match self {
            Self::Previous => "previous-worker",
            Self::This => "worker",
        }
    }
}

/// What is deployed in one stack.
pub struct Deployment {
    dir: tempfile::TempDir,
}

impl Deployment {
    /// A deployment of this version.
    ///
    /// # Panics
    /// The test's own folder cannot be written.
    #[must_use]
    pub fn of(version: Version) -> Self {
        let deployment = Self { dir: tempfile::tempdir().expect("a test has a folder") };
        deployment.deploy(version);
        deployment
    }

    /// Has a stack run it.
    pub fn runs_in(&self, config: &mut Config) {
        config.worker = self.link();
    }

    /// Has every container from now on run this version.
    ///
    /// # Panics
    /// The test's own folder cannot be written.
    pub fn deploy(&self, version: Version) {
        let new = self.dir.path().join("new");
        symlink(version.worker(), &new).expect("a link is made");
        std::fs::rename(new, self.link()).expect("a link takes the place of another");
    }

    fn link(&self) -> PathBuf {
        self.dir.path().join("worker")
    }
}
