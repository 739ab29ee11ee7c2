//! The worker of a build before, in the place of what others do: whether a load has become slower is told in pairs as well.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use local_stack::Config;

/// Whose turn it is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Turn {
    Before,
    Now,
}

/// The containers of a stack, each of which becomes the worker whose turn it is.
pub(crate) struct Turns {
    dir: tempfile::TempDir,
    before: PathBuf,
    now: PathBuf,
}

impl Turns {
    pub(crate) fn between(before: &Path) -> Self {
        assert!(before.is_file(), "{} is no program", before.display());
        let turns = Self {
            dir: tempfile::tempdir().expect("there is room for a folder"),
            before: before.canonicalize().expect("a program has a path"),
            now: e2e::binaries::path("worker"),
        };
        let script = format!("#!/bin/sh\nexec '{}/worker'\n", turns.dir.path().display());
        fs::write(turns.script(), script).expect("there is room for a script");
        fs::set_permissions(turns.script(), fs::Permissions::from_mode(0o700)).expect("it is a program");
        turns.next(Turn::Now);
        turns
    }

    /// Has the stack start these workers.
    pub(crate) fn serve(&self, config: &mut Config) {
        config.worker = self.script();
    }

    /// From now on, containers become this worker.
    pub(crate) fn next(&self, turn: Turn) {
        let link = self.dir.path().join("worker");
        // The first time there is none.
        let _ = fs::remove_file(&link);
        let program = if turn == Turn::Now { &self.now } else { &self.before };
        std::os::unix::fs::symlink(program, link).expect("a link can be made");
    }

    fn script(&self) -> PathBuf {
        self.dir.path().join("container")
    }
}
