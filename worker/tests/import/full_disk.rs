//! A disk that the import itself fills: a small one of the test's own, in memory, which only root may make.

use std::path::Path;
use std::process::Command;

use statemachine::FailureName;
use tempfile::TempDir;

use super::world::{World, max_rejects, named};

/// A folder on a disk of its own.
struct SmallDisk(TempDir);

impl SmallDisk {
    fn of(size: &str) -> Option<Self> {
        let folder = TempDir::new().unwrap();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={size}"), "tmpfs"])
            .arg(folder.path())
            .output();
        mounted.is_ok_and(|mounted| mounted.status.success()).then_some(Self(folder))
    }

    fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Also where something still has a file open: it is gone with that.
        let gone = Command::new("umount").arg("--lazy").arg(self.0.path()).status();
        assert!(gone.is_ok_and(|gone| gone.success()), "the disk of a test goes with it");
    }
}

#[test]
fn a_disk_that_the_import_fills_is_named_and_its_log_is_cut_back() {
    let Some(disk) = SmallDisk::of("6m") else {
        println!("NOT RUN: no file system can be mounted here");
        return;
    };
    let world = World::sqlite_in(disk.path(), "CREATE TABLE t (v TEXT); INSERT INTO t VALUES ('x')");
    let open = world.database.connect().unwrap();
    let rows = format!("{}\n", "x".repeat(500)).repeat(20_000);
    let (name, cause) = named(world.import_as("f", format!("v\n{rows}").as_bytes(), "t", max_rejects(9)).0);
    assert_eq!(name, FailureName::DatabaseMisconfigured, "{cause}");
    assert!(cause.contains("database or disk is full; the import had written"), "{cause}");
    assert_eq!(world.count("t"), 1);
    let file = world.database.display_name().replace("sqlite ", "");
    assert_eq!(std::fs::metadata(format!("{file}-wal")).unwrap().len(), 0);
    drop((open, world));
}
