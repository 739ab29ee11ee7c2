//! A PostgreSQL of the tests' own: one throw-away cluster, one database per test. (A benchmark has another cluster, which waits
//! for the disk.) The cluster is this process's own, or the one that `tests/with-postgres` started for many test processes.
//! Its own stops when the test process ends, however that ends: a shell of its own process group waits for the end of a pipe that
//! only the test process holds. Depends on nothing but the standard library, so that any test crate can include this file.

use std::io::{BufRead, BufReader, Read};
use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{ChildStdin, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::{SystemTime, UNIX_EPOCH};

/// Starts a cluster, says so, and stops it at the end of standard input.
const SCRIPT: &str = include_str!("cluster.sh");

/// The cluster of the tests.
static CLUSTER: OnceLock<Cluster> = OnceLock::new();

/// What the tests' server is started with: it does not wait for the disk, since nothing of it outlives the test.
const FORGETFUL: &str = "-F";

pub(crate) struct Cluster {
    programs: PathBuf,
    port: u16,
    /// Its end is the end of the cluster. A cluster that somebody else started ends without us.
    _alive: Option<ChildStdin>,
}

/// Creates an empty database and returns its URL.
///
/// # Panics
/// Where PostgreSQL is not installed or does not start: a test that needs it has not passed.
pub(crate) fn create_database() -> String {
    CLUSTER
        .get_or_init(|| Cluster::shared().unwrap_or_else(|| Cluster::start(FORGETFUL, &[])))
        .create_database()
}

impl Cluster {
    /// The cluster that `tests/with-postgres` started, where it did.
    fn shared() -> Option<Self> {
        #[expect(clippy::disallowed_methods, reason = "whoever starts the tests says where the server is")]
        let port = std::env::var("BATON_TESTS_POSTGRES_PORT").ok()?;
        let port = port.parse().unwrap_or_else(|error| panic!("BATON_TESTS_POSTGRES_PORT={port}: {error}"));
        Some(Self { programs: Self::programs(), port, _alive: None })
    }

    /// Starts a cluster with these options of the server, and these variables.
    pub(crate) fn start(options: &str, variables: &[(&str, &str)]) -> Self {
        Self::start_from(Self::programs(), options, variables)
    }

    fn programs() -> PathBuf {
        programs().unwrap_or_else(|| {
            panic!(
                "these tests need PostgreSQL's server programs (initdb, pg_ctl, createdb), in PATH or below \
                 /usr/lib/postgresql: install the package `postgresql` (Debian, Ubuntu, Homebrew) or \
                 `postgresql-server` (Fedora)"
            )
        })
    }

    /// Starts a cluster of the server whose programs are in this folder.
    pub(crate) fn start_from(programs: PathBuf, options: &str, variables: &[(&str, &str)]) -> Self {
        let mut failure = String::new();
        // Between our look for a free port and PostgreSQL's use of it, somebody else may take it.
        for _ in 0..3 {
            let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
            match try_start(&programs, port, options, variables) {
                Ok(alive) => return Self { programs, port, _alive: Some(alive) },
                Err(log) => failure = log,
            }
        }
        panic!("PostgreSQL does not start: {failure}");
    }

    /// Creates an empty database and returns its URL.
    pub(crate) fn create_database(&self) -> String {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        // Numbers of processes come again.
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos();
        let name = format!("test_{}_{}_{now}", std::process::id(), NEXT.fetch_add(1, Relaxed));
        let port = self.port.to_string();
        let created = Command::new(self.programs.join("createdb"))
            .args(["-h", "127.0.0.1", "-p", &port, "-U", "baton", &name])
            .output()
            .unwrap();
        assert!(created.status.success(), "createdb: {}", String::from_utf8_lossy(&created.stderr));
        format!("postgres://baton@127.0.0.1:{port}/{name}")
    }
}

fn try_start(
    programs: &Path,
    port: u16,
    options: &str,
    variables: &[(&str, &str)],
) -> Result<ChildStdin, String> {
    let mut child = shell()
        .envs(variables.iter().copied())
        .args([programs.as_os_str(), port.to_string().as_ref(), options.as_ref()])
        .current_dir("/")
        // A runner that kills the group of a test must leave the shell its time to clean up.
        .process_group(0)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| error.to_string())?;
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    if line == "ready\n" {
        return Ok(child.stdin.take().unwrap());
    }
    let mut log = String::new();
    child.stderr.take().unwrap().read_to_string(&mut log).unwrap();
    child.wait().unwrap();
    Err(log)
}

/// The shell that runs the script.
fn shell() -> Command {
    let Some(user) = server_user() else {
        let mut command = Command::new("sh");
        command.args(["-c", SCRIPT, "sh"]);
        return command;
    };
    let mut command = Command::new("runuser");
    command.args(["-u", user, "--", "sh", "-c", SCRIPT, "sh"]);
    command
}

/// Whose process the server is, where that is not who runs the tests: PostgreSQL refuses to run as root.
pub(crate) fn server_user() -> Option<&'static str> {
    let id = |arguments: &[&str]| Command::new("id").args(arguments).output().unwrap();
    if id(&["-u"]).stdout.trim_ascii() != b"0" {
        return None;
    }
    Some(if id(&["-u", "postgres"]).status.success() { "postgres" } else { "nobody" })
}

pub(crate) fn programs() -> Option<PathBuf> {
    #[expect(clippy::disallowed_methods, reason = "the tests look for an installed program, as a shell does")]
    let path = std::env::var_os("PATH").unwrap_or_default();
    // A package may link some of its programs into PATH, and keep all of them in one place.
    let linked = std::env::split_paths(&path)
        .filter_map(|dir| Some(dir.join("initdb").canonicalize().ok()?.parent()?.to_owned()));
    let mut packaged: Vec<_> = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .filter_map(|version| Some(version.ok()?.path().join("bin")))
        .collect();
    packaged.sort();
    linked
        .chain(packaged.into_iter().rev())
        .find(|dir| ["initdb", "pg_ctl", "createdb"].iter().all(|program| dir.join(program).is_file()))
}
