//! Whether the embedded stack has room for what it writes: queues, executions, logs and objects lie in its folder. A stack whose disk
//! is full answers each call with an error of its own.

use std::path::Path;

use super::check::Check;

/// What imports of a laptop need at least, beside their files.
const LEAST_FREE_BYTES: u64 = 64 * 1024 * 1024;

/// What is wrong with the disk of the folder, if anything is.
pub(super) fn check(data_dir: &Path) -> Option<Check> {
    let disk = rustix::fs::statvfs(data_dir).ok()?;
    short(data_dir, disk.f_bavail.saturating_mul(disk.f_frsize))
}

fn short(data_dir: &Path, free_bytes: u64) -> Option<Check> {
    if free_bytes >= LEAST_FREE_BYTES {
        return None;
    }
    let says = format!("{:.1} MB are free where {} lies", free_bytes as f64 / 1e6, data_dir.display());
    let advice = "free some space: messages, executions, logs, uploaded files and rejects are written there";
    Some(match free_bytes {
        0 => Check::fail("disk", says, advice),
        _ => Check::warn("disk", says, advice),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Status;

    #[test]
    fn a_disk_is_named_where_it_is_nearly_or_wholly_full() {
        let of = |bytes| short(Path::new("/data"), bytes);
        assert_eq!(of(LEAST_FREE_BYTES), None);
        let nearly = of(5_300_000).unwrap();
        assert_eq!((nearly.status, nearly.says.as_str()), (Status::Warn, "5.3 MB are free where /data lies"));
        assert_eq!(of(0).unwrap().status, Status::Fail);
    }

    #[test]
    fn a_folder_that_is_there_is_asked_for_its_room() {
        let dir = tempfile::tempdir().unwrap();
        let disk = rustix::fs::statvfs(dir.path()).unwrap();
        assert!(disk.f_frsize > 0 && disk.f_blocks > 0);
        assert_eq!(check(dir.path()).is_some(), disk.f_bavail * disk.f_frsize < LEAST_FREE_BYTES);
    }
}
