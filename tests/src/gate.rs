//! A gate before the worker: the container is a script that waits until the test lets its import pass, and then becomes the
//! worker. So a test holds an import at a known point, with the real worker behind it.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use local_stack::Config;

use crate::binaries;

/// The gate before all workers of one stack.
pub struct Gate {
    dir: tempfile::TempDir,
}

impl Gate {
    /// A gate that is shut.
    ///
    /// # Panics
    /// The test's own folder cannot be written.
    #[must_use]
    pub fn shut() -> Self {
        let gate = Self { dir: tempfile::tempdir().expect("a test has a folder") };
        let (dir, worker) = (gate.dir.path().display(), binaries::path("worker"));
        let script = format!(
            "#!/bin/sh\nid=${{IMPORT#*'\"import_id\":\"'}}\nid=${{id%%'\"'*}}\n\
             while [ ! -e '{dir}/all' ] && [ ! -e \"{dir}/import-$id\" ]; do sleep 0.02; done\nexec '{}'\n",
            worker.display()
        );
        fs::write(gate.script(), script).expect("the script is written");
        fs::set_permissions(gate.script(), fs::Permissions::from_mode(0o700))
            .expect("the script is a program");
        gate
    }

    /// Puts the gate before the workers of a stack.
    pub fn before(&self, config: &mut Config) {
        config.worker = self.script();
    }

    /// Lets one import pass, now and whenever it is tried again.
    pub fn let_pass(&self, import_id: &str) {
        self.mark(&format!("import-{import_id}"));
    }

    /// Holds back an import that was let pass before, when it is tried again.
    pub fn hold_again(&self, import_id: &str) {
        let mark = self.dir.path().join(format!("import-{import_id}"));
        fs::remove_file(mark).expect("the import was let pass");
    }

    /// Lets every import pass.
    pub fn open(&self) {
        self.mark("all");
    }

    fn script(&self) -> PathBuf {
        self.dir.path().join("worker")
    }

    fn mark(&self, name: &str) {
        fs::write(self.dir.path().join(name), "").expect("the gate can be opened");
    }
}
