//! A throw-away cluster of PostgreSQL: started for the first test that asks, stopped when the last one that holds it is
//! done or the process ends, whichever is first. It listens on a socket in its own directory alone.

use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use diesel::connection::SimpleConnection as _;
use diesel::{Connection as _, PgConnection};
use tempfile::TempDir;

static RUNNING: Mutex<Weak<Cluster>> = Mutex::new(Weak::new());
static DATABASES: AtomicU64 = AtomicU64::new(0);

/// Makes a cluster, says so, and stops it when the input ends: even a test process that is killed leaves none behind.
const SCRIPT: &str = r#"
set -e
cd "$1"
"$2/initdb" --no-sync --auth=trust --username=postgres --encoding=UTF8 --locale=C.UTF-8 -D data >log 2>&1
"$2/pg_ctl" -D data -l log -w -o "-k $1 -c listen_addresses='' -c fsync=off -c max_connections=50" start >>log 2>&1
echo ready
cat >/dev/null
"$2/pg_ctl" -D data -m immediate stop >>log 2>&1
"#;

pub(crate) struct Cluster {
    directory: TempDir,
    script: Child,
    input: Option<ChildStdin>,
}

/// A database of its own for one test.
pub(crate) struct NewDatabase {
    pub(crate) cluster: Arc<Cluster>,
    pub(crate) url: String,
}

impl Cluster {
    pub(crate) fn new_database() -> NewDatabase {
        let mut running = RUNNING.lock().unwrap_or_else(PoisonError::into_inner);
        let cluster = running.upgrade().unwrap_or_else(|| Arc::new(Self::start()));
        *running = Arc::downgrade(&cluster);
        drop(running);
        let name = format!("test_{}", DATABASES.fetch_add(1, Ordering::Relaxed));
        let mut connection = PgConnection::establish(&cluster.url("postgres")).unwrap();
        connection.batch_execute(&format!("CREATE DATABASE {name}")).unwrap();
        let url = cluster.url(&name);
        NewDatabase { cluster, url }
    }

    fn url(&self, database: &str) -> String {
        format!("postgres://postgres@/{database}?host={}", self.directory.path().display())
    }

    fn start() -> Self {
        let programs = programs();
        let directory = tempfile::Builder::new().prefix("pg").tempdir_in("/tmp").unwrap();
        let mut command = Command::new("sh");
        if is_root() {
            // PostgreSQL refuses to run as root.
            let user = user();
            chown(directory.path(), Some(user), Some(user)).unwrap();
            command = Command::new("setpriv");
            command.args([&format!("--reuid={user}"), &format!("--regid={user}"), "--clear-groups", "sh"]);
        }
        std::fs::set_permissions(directory.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
        command.args(["-c", SCRIPT, "sh"]).arg(directory.path()).arg(programs);
        command.env("HOME", directory.path()).current_dir("/");
        let mut script = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let input = script.stdin.take();
        let mut line = String::new();
        BufReader::new(script.stdout.take().unwrap()).read_line(&mut line).unwrap();
        if line != "ready\n" {
            let log = std::fs::read_to_string(directory.path().join("log")).unwrap_or_default();
            panic!("PostgreSQL did not start:\n{log}");
        }
        Self { directory, script, input }
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        drop(self.input.take());
        self.script.wait().unwrap();
    }
}

/// Where `initdb` is: the newest below Debian's directory, or along the PATH.
fn programs() -> PathBuf {
    let debian = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut versions: Vec<_> = debian.map(|entry| entry.path().join("bin")).collect();
    versions.sort();
    let path = Command::new("sh").args(["-c", "dirname \"$(command -v initdb)\""]).output().unwrap();
    versions.push(Path::new(String::from_utf8(path.stdout).unwrap().trim()).to_owned());
    let found = versions.into_iter().rev().find(|path| path.join("initdb").exists());
    found.unwrap_or_else(|| panic!("these tests need PostgreSQL's server: install the package `postgresql`"))
}

fn is_root() -> bool {
    id(&["-u"]) == Some(0)
}

/// The user of PostgreSQL's package, else the one that owns nothing.
fn user() -> u32 {
    id(&["-u", "postgres"]).or_else(|| id(&["-u", "nobody"])).unwrap()
}

fn id(arguments: &[&str]) -> Option<u32> {
    let output = Command::new("id").args(arguments).stderr(Stdio::null()).output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().parse().ok()
}
