//! The streams: the files of the tasks, each `<task id>.log`. Their names come from requests, and only what has the form of
//! a task's id ever becomes a path.

use std::fs::{File, Metadata};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// As long as ECS remembers a stopped task, and as long as its execution can be redriven.
const RETENTION: Duration = Duration::from_secs(super::describe::RETENTION_DAYS * 24 * 60 * 60);

pub(super) struct Streams {
    dir: PathBuf,
    /// What stands before the id in a stream's name, with the slash.
    prefix: String,
}

/// A stream, as its file was when it was looked at.
#[derive(Clone, Debug)]
pub(super) struct Stream {
    pub(super) name: String,
    pub(super) id: String,
    /// When the first line may have come, in milliseconds since 1970.
    pub(super) created_ms: i64,
    /// When the last line came.
    pub(super) modified_ms: i64,
    pub(super) bytes: u64,
    path: PathBuf,
}

impl Stream {
    pub(super) fn open(&self) -> io::Result<File> {
        File::open(&self.path)
    }

    /// Identifies an event of the stream: 56 digits, as on AWS.
    pub(super) fn event_id(&self, offset: u64) -> String {
        let number = u128::from_str_radix(&self.id, 16).unwrap_or_default();
        format!("{number:039}{offset:017}")
    }
}

impl Streams {
    pub(super) fn new(dir: PathBuf, prefix: &str) -> Self {
        Self { dir, prefix: format!("{prefix}/") }
    }

    /// The stream of this name, if there is one.
    pub(super) fn find(&self, name: &str) -> io::Result<Option<Stream>> {
        let Some(id) = name.strip_prefix(&self.prefix).filter(|id| is_task_id(id)) else { return Ok(None) };
        let path = self.dir.join(format!("{id}.log"));
        match path.metadata() {
            Ok(metadata) => Ok(Some(self.stream(id, path, &metadata))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// All streams, in no order.
    pub(super) fn all(&self) -> io::Result<Vec<Stream>> {
        let mut streams = Vec::new();
        for entry in self.dir.read_dir()? {
            let entry = entry?;
            let name = entry.file_name();
            let Some(id) = name.to_str().and_then(|name| name.strip_suffix(".log")) else { continue };
            if !is_task_id(id) {
                continue;
            }
            // It may have been deleted in the meantime.
            if let Ok(metadata) = entry.metadata() {
                streams.push(self.stream(id, entry.path(), &metadata));
            }
        }
        Ok(streams)
    }

    /// When the group was made: with the folder.
    pub(super) fn created_ms(&self) -> io::Result<i64> {
        let metadata = self.dir.metadata()?;
        Ok(created_ms(&metadata))
    }

    pub(super) fn prune(&self) -> io::Result<()> {
        let Some(limit) = SystemTime::now().checked_sub(RETENTION).map(millis) else { return Ok(()) };
        for stream in self.all()?.into_iter().filter(|stream| stream.modified_ms < limit) {
            remove(&stream.path)?;
        }
        Ok(())
    }

    fn stream(&self, id: &str, path: PathBuf, metadata: &Metadata) -> Stream {
        Stream {
            name: format!("{}{id}", self.prefix),
            id: id.to_owned(),
            created_ms: created_ms(metadata),
            modified_ms: modified_ms(metadata),
            bytes: metadata.len(),
            path,
        }
    }
}

/// The form that `RunTask` gives to ids: 32 hexadecimal digits.
pub(super) fn is_task_id(id: &str) -> bool {
    id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
}

fn remove(path: &Path) -> io::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn modified_ms(metadata: &Metadata) -> i64 {
    metadata.modified().map(millis).unwrap_or_default()
}

/// Not every file system knows it; and a copy is younger than what is in it.
fn created_ms(metadata: &Metadata) -> i64 {
    let modified = modified_ms(metadata);
    metadata.created().map_or(modified, |created| millis(created).min(modified))
}

fn millis(time: SystemTime) -> i64 {
    time.duration_since(UNIX_EPOCH).ok().and_then(|since| i64::try_from(since.as_millis()).ok()).unwrap_or(0)
}
