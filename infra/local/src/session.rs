//! How another process finds the stack that is up on a folder: a lock says that there is one, a file beside it where.
//! The file names the database, whose URL may hold a password: only the owner may read it.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use serde::{Deserialize, Serialize};

use tokio::time::Instant;

use crate::credentials::Credentials;
use crate::resources::Resources;

/// How long a stack tries to get a folder that is in use.
const PATIENCE: Duration = Duration::from_millis(500);
const PAUSE: Duration = Duration::from_millis(20);

/// A stack that is up.
#[derive(Clone, Serialize, Deserialize)]
pub struct Session {
    /// Where it answers.
    pub endpoint: String,
    /// The process that it lives in.
    pub pid: u32,
    /// What it is made of.
    pub resources: Resources,
    /// What requests must be signed with. A secret.
    pub credentials: Credentials,
    /// The database that its worker imports into. A secret.
    pub database_url: String,
    /// The folder's path, absolute, by which a database within it is known to be within it where the folder was moved.
    #[serde(default)]
    pub data_dir: PathBuf,
    /// How many imports may run at once; 0 where there is no cap.
    #[serde(default)]
    pub maximum_imports: u32,
    /// Whether messages and executions move. In one that only looks (inside `baton show`, or a console where nothing is up)
    /// they rest, and whoever sent it an import would wait for ever.
    pub moving: bool,
}

impl Session {
    /// The stack that is up on `data_dir`, and in which things move; none where there is no such, or no folder.
    ///
    /// # Errors
    /// The folder cannot be read, or holds a session that is none.
    pub fn of_running_stack(data_dir: &Path) -> anyhow::Result<Option<Self>> {
        Ok(Self::of_any_stack(data_dir)?.filter(|session| session.moving))
    }

    /// The stack that has the folder, be it that it only looks; none where the folder is at rest or does not exist.
    ///
    /// # Errors
    /// The folder cannot be read, or holds a session that is none.
    pub fn of_any_stack(data_dir: &Path) -> anyhow::Result<Option<Self>> {
        let lock = match File::open(lock_path(data_dir)) {
            Ok(lock) => lock,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => {
                return Err(error).with_context(|| format!("failed to look into {}", data_dir.display()));
            }
        };
        // Shared, so that two who look at once do not take each other for a stack.
        match lock.try_lock_shared() {
            Ok(()) => Ok(None),
            Err(TryLockError::WouldBlock) => read(data_dir),
            Err(TryLockError::Error(error)) => {
                Err(error).with_context(|| format!("failed to look at the lock of {}", data_dir.display()))
            }
        }
    }
}

impl Session {
    /// Whether anything listens where the stack answered.
    pub async fn answers(&self) -> bool {
        let address = self.endpoint.trim_start_matches("http://");
        tokio::net::TcpStream::connect(address).await.is_ok()
    }

    /// The last stack that was up on the folder: it knows the database that the folder's executions import into.
    ///
    /// # Errors
    /// The folder cannot be read, or holds a session that is none.
    pub fn last(data_dir: &Path) -> anyhow::Result<Option<Self>> {
        let last = match read(data_dir)? {
            Some(session) => Some(session),
            // A stack that did not come up after it.
            None => read_file(&last_path(data_dir))?,
        };
        Ok(last.map(|session| session.in_folder(data_dir)))
    }

    /// Whether it was up on another folder, of which this one is a copy, or which has this name now.
    pub(crate) fn is_of_another_folder(&self, data_dir: &Path) -> bool {
        let there = self.data_dir.canonicalize();
        there.is_ok_and(|there| data_dir.canonicalize().is_ok_and(|here| here != there))
    }

    /// What it says, of a folder that was moved or copied since: a database in the folder is with it.
    fn in_folder(mut self, data_dir: &Path) -> Self {
        let within = self.database_url.strip_prefix("sqlite:").map(Path::new);
        if let Some(within) = within.and_then(|file| file.strip_prefix(&self.data_dir).ok())
            && !self.data_dir.as_os_str().is_empty()
            && let Ok(folder) = data_dir.canonicalize()
        {
            self.database_url = format!("sqlite:{}", folder.join(within).display());
        }
        self
    }
}

/// None where no stack has said where it is.
fn read(data_dir: &Path) -> anyhow::Result<Option<Session>> {
    read_file(&session_path(data_dir))
}

fn read_file(path: &Path) -> anyhow::Result<Option<Session>> {
    match std::fs::read(path) {
        Ok(json) => {
            Ok(Some(serde_json::from_slice(&json).with_context(|| format!("{} is damaged", path.display()))?))
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("failed to read {}", path.display())),
    }
}

/// Another stack has the folder.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{} in the folder {}{}; {}--data-dir names another",
    if *only_looks { "another command is looking" } else { "another stack is at work" },
    folder.display(),
    pid.map(|pid| format!(" (process {pid})")).unwrap_or_default(),
    if *only_looks { "`baton console` does so until it ends: end it first; " } else { "" }
)]
pub struct Occupied {
    /// The folder.
    pub folder: PathBuf,
    /// Whether nothing moves in that stack, which is there to be looked at.
    pub only_looks: bool,
    /// The process that it lives in; none where it has not said so yet, or no more.
    pub pid: Option<u32>,
}

/// The right to be the one stack on a folder. It ends with the process, however that ends.
pub(crate) struct Claim {
    lock: File,
    data_dir: PathBuf,
}

impl Claim {
    /// Claims the folder. One who only looks at the lock holds it for a moment, so this tries for a while.
    pub(crate) async fn take(data_dir: &Path) -> anyhow::Result<Self> {
        let path = lock_path(data_dir);
        let open = OpenOptions::new().create(true).truncate(false).write(true).open(&path);
        let lock = open.with_context(|| {
            format!("failed to write in the folder {}; --data-dir names another", data_dir.display())
        })?;
        let deadline = Instant::now() + PATIENCE;
        loop {
            match lock.try_lock() {
                Ok(()) => break,
                Err(TryLockError::WouldBlock) if Instant::now() < deadline => tokio::time::sleep(PAUSE).await,
                Err(TryLockError::WouldBlock) => {
                    let session = read(data_dir)?;
                    let only_looks = session.as_ref().is_some_and(|session| !session.moving);
                    let pid = session.map(|session| session.pid);
                    return Err(Occupied { folder: data_dir.to_owned(), only_looks, pid }.into());
                }
                Err(TryLockError::Error(error)) => {
                    return Err(error).with_context(|| format!("failed to lock {}", path.display()));
                }
            }
        }
        // What the last stack said of itself must not pass for this one's, and is not forgotten where this one fails to start.
        match std::fs::rename(session_path(data_dir), last_path(data_dir)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(error).with_context(|| format!("failed to write in the folder {}", data_dir.display()))
            }
            _ => Ok(Self { lock, data_dir: data_dir.to_owned() }),
        }
    }

    /// Says where the stack is.
    pub(crate) fn publish(&self, session: &Session) -> anyhow::Result<()> {
        let path = session_path(&self.data_dir);
        let partial = path.with_extension("partial");
        let mut file = OpenOptions::new()
            .create(true)
            .truncate(true)
            .write(true)
            .mode(0o600)
            .open(&partial)
            .with_context(|| format!("failed to write {}", partial.display()))?;
        file.write_all(&serde_json::to_vec(session)?)?;
        std::fs::rename(&partial, &path).with_context(|| format!("failed to write {}", path.display()))
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        // Not by closing alone: a child that is being started has a copy of the file until it has become its program.
        let _ = self.lock.unlock();
    }
}

fn lock_path(data_dir: &Path) -> PathBuf {
    data_dir.join("stack.lock")
}

fn last_path(data_dir: &Path) -> PathBuf {
    data_dir.join("stack.last.json")
}

fn session_path(data_dir: &Path) -> PathBuf {
    data_dir.join("stack.json")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session() -> Session {
        let endpoint = "http://127.0.0.1:1".to_owned();
        let resources = Resources::embedded(&endpoint, crate::resources::QueueNames::of_type(false));
        let credentials = Credentials { access_key: "key".to_owned(), secret_key: "secret".to_owned() };
        Session {
            resources,
            credentials,
            endpoint,
            pid: 7,
            database_url: "sqlite:x".to_owned(),
            data_dir: PathBuf::new(),
            maximum_imports: 0,
            moving: true,
        }
    }

    #[tokio::test]
    async fn a_stack_is_found_while_it_is_up_and_not_after() {
        let dir = tempfile::tempdir().unwrap();
        assert!(Session::of_running_stack(dir.path()).unwrap().is_none());
        let claim = Claim::take(dir.path()).await.unwrap();
        claim.publish(&session()).unwrap();
        assert_eq!(Session::of_running_stack(dir.path()).unwrap().unwrap().pid, 7);
        drop(claim);
        assert!(Session::of_running_stack(dir.path()).unwrap().is_none());
        assert_eq!(Session::last(dir.path()).unwrap().unwrap().database_url, "sqlite:x");
    }

    #[tokio::test]
    async fn a_database_in_a_folder_that_was_moved_has_moved_with_it() {
        let dir = tempfile::tempdir().unwrap();
        let (before, after) = (dir.path().canonicalize().unwrap().join("a"), dir.path().join("b"));
        std::fs::create_dir(&before).unwrap();
        let last = async |url: String| {
            let claim = Claim::take(&before).await.unwrap();
            claim.publish(&Session { database_url: url, data_dir: before.clone(), ..session() }).unwrap();
            drop(claim);
            std::fs::rename(&before, &after).unwrap();
            let last = Session::last(&after).unwrap().unwrap().database_url;
            std::fs::rename(&after, &before).unwrap();
            last
        };
        let url = |folder: &Path| format!("sqlite:{}", folder.join("baton.db").display());
        let moved = before.with_file_name("b");
        assert_eq!(last(url(&before)).await, url(&moved));
        for elsewhere in [url(dir.path()), "postgres://u@h/d".to_owned()] {
            assert_eq!(last(elsewhere.clone()).await, elsewhere);
        }
    }

    #[tokio::test]
    async fn a_stack_that_only_looks_is_none_that_is_up() {
        let dir = tempfile::tempdir().unwrap();
        let claim = Claim::take(dir.path()).await.unwrap();
        claim.publish(&Session { moving: false, ..session() }).unwrap();
        assert!(Session::of_running_stack(dir.path()).unwrap().is_none());
        assert_eq!(Session::of_any_stack(dir.path()).unwrap().unwrap().pid, 7);
        let refused = Claim::take(dir.path()).await.err().unwrap().to_string();
        let says = format!(
            "another command is looking in the folder {} (process 7); `baton console` does so until it ends: end it first; \
             --data-dir names another",
            dir.path().display()
        );
        assert_eq!(refused, says);
    }

    #[tokio::test]
    async fn a_start_that_fails_does_not_make_the_folder_forget_its_last_stack() {
        let dir = tempfile::tempdir().unwrap();
        Claim::take(dir.path()).await.unwrap().publish(&session()).unwrap();
        for _ in 0..2 {
            let claim = Claim::take(dir.path()).await.unwrap();
            assert!(
                Session::of_any_stack(dir.path()).unwrap().is_none(),
                "this one has not said where it is"
            );
            drop(claim);
            assert_eq!(Session::last(dir.path()).unwrap().unwrap().pid, 7);
        }
    }

    #[tokio::test]
    async fn two_stacks_do_not_share_a_folder() {
        let dir = tempfile::tempdir().unwrap();
        let _claim = Claim::take(dir.path()).await.unwrap();
        let refused = Claim::take(dir.path()).await.err().unwrap().to_string();
        assert!(refused.contains("another stack is at work"), "{refused}");
    }

    #[tokio::test]
    async fn the_session_is_for_its_owners_eyes() {
        use std::os::unix::fs::PermissionsExt as _;
        let dir = tempfile::tempdir().unwrap();
        let claim = Claim::take(dir.path()).await.unwrap();
        claim.publish(&session()).unwrap();
        let mode = std::fs::metadata(session_path(dir.path())).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}
