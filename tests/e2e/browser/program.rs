//! The processes of a browser: Debian's chromedriver, which starts Chromium. A shell of its own process group waits for the
//! end of a pipe that only the test process holds, and then ends both, so that they end however the test does.

use std::io::{BufRead as _, BufReader};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

use rustix::process::Pid;

/// $1 is chromedriver. Everything that the two write goes to a folder that is removed in the end.
const SCRIPT: &str = r#"
set -eu
trap '' PIPE HUP INT TERM
dir=$(mktemp -d)
export HOME="$dir" TMPDIR="$dir" XDG_CONFIG_HOME="$dir/config" XDG_CACHE_HOME="$dir/cache" BATON_BROWSER="$dir"
echo "$dir"
setsid "$1" --port=0 2>"$dir/log" &
driver=$!
cat >/dev/null
kill -KILL "-$driver"
for _ in 1 2 3 4 5 6 7 8 9; do rm -rf "$dir" 2>/dev/null && break; done
"#;

const MISSING: &str = "the console is tested in a real browser: install Debian's packages `chromium`, `chromium-driver` \
                       and, for Japanese, `fonts-noto-cjk`, or name the programs in CHROMIUM and CHROMEDRIVER";

/// Chromedriver and the browser that it starts.
pub(super) struct Program {
    shell: Child,
    /// Open for as long as chromedriver may write to it.
    _stdout: BufReader<ChildStdout>,
    chromium: PathBuf,
    dir: String,
    port: u16,
}

impl Program {
    /// Starts chromedriver on a free port of 127.0.0.1.
    pub(super) async fn start() -> Self {
        tokio::task::spawn_blocking(Self::start_now).await.unwrap()
    }

    #[expect(
        clippy::zombie_processes,
        reason = "whoever drops it waits; where it does not start, the test is over"
    )]
    fn start_now() -> Self {
        let chromium = find("CHROMIUM", &["chromium", "chromium-browser", "google-chrome"]);
        let driver = find("CHROMEDRIVER", &["chromedriver"]);
        // Where no language is set, it finds no file whose name is not ASCII.
        let mut shell = Command::new("sh")
            .env("LC_ALL", "C.UTF-8")
            .args(["-c", SCRIPT, "sh"])
            .arg(driver)
            .current_dir("/")
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdout = BufReader::new(shell.stdout.take().unwrap());
        let mut said = String::new();
        loop {
            let from = said.len();
            let read = stdout.read_line(&mut said).unwrap();
            assert_ne!(read, 0, "chromedriver does not start: {said}");
            let line = &said[from..];
            let port = line.split_once("started successfully on port ").map(|(_, port)| port.trim_end());
            if let Some(port) = port {
                let port = port.trim_end_matches('.').parse().unwrap();
                let dir = said.lines().next().unwrap_or_default().to_owned();
                return Self { shell, _stdout: stdout, chromium, dir, port };
            }
        }
    }

    pub(super) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub(super) fn chromium(&self) -> &Path {
        &self.chromium
    }

    /// The folder that its processes carry in their environment.
    pub(super) fn dir(&self) -> &str {
        &self.dir
    }

    /// Ends it, and waits until the shell has.
    pub(super) fn end(&mut self) {
        drop(self.shell.stdin.take());
        self.shell.wait().unwrap();
    }
}

/// The processes of a browser that are there.
pub(super) fn processes(dir: &str) -> Vec<Pid> {
    let marker = format!("BATON_BROWSER={dir}");
    let carries = |process: &Path| {
        let environment = std::fs::read(process.join("environ")).unwrap_or_default();
        environment.split(|byte| *byte == 0).any(|variable| variable == marker.as_bytes())
    };
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    processes
        .filter(|process| carries(&process.path()))
        .filter_map(|process| Pid::from_raw(process.file_name().to_str()?.parse().ok()?))
        .collect()
}

/// The program that the variable names, or one of these names in PATH.
fn find(variable: &str, names: &[&str]) -> PathBuf {
    #[expect(clippy::disallowed_methods, reason = "the tests look for an installed program, as a shell does")]
    let (named, path) = (std::env::var_os(variable), std::env::var_os("PATH").unwrap_or_default());
    if let Some(named) = named {
        return PathBuf::from(named);
    }
    let mut candidates =
        names.iter().flat_map(|name| std::env::split_paths(&path).map(move |dir| dir.join(name)));
    candidates
        .find(|program| program.is_file())
        .unwrap_or_else(|| panic!("there is no {}: {MISSING}", names[0]))
}
