//! A caller that writes down what it is told, and runs with a deadline.

use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use baton_exec::{Ended, JobFacts, Program, Progress, Report, Stop, Stream, Watch, run};
use serde_json::{Value, json};

/// How long any run may take, also beside the others, of which one runs at a time.
const DEADLINE: Duration = Duration::from_secs(120);

/// What happens to the program.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub(crate) beats: AtomicUsize,
    pub(crate) progress: Mutex<Vec<Progress>>,
    pub(crate) lines: Mutex<Vec<(Stream, String)>>,
    pub(crate) patience: Mutex<Vec<Duration>>,
    /// How many bytes of lines there were, where they are too many to keep.
    pub(crate) bytes: AtomicUsize,
    /// The number of beats at each line.
    pub(crate) beats_at: Mutex<Vec<usize>>,
    started: Mutex<Option<Instant>>,
}

impl Seen {
    /// The lines of a stream.
    pub(crate) fn lines_of(&self, stream: Stream) -> Vec<String> {
        self.lines
            .lock()
            .unwrap()
            .iter()
            .filter(|(of, _)| *of == stream)
            .map(|(_, line)| line.clone())
            .collect()
    }

    /// The lines of stdout.
    pub(crate) fn stdout(&self) -> Vec<String> {
        self.lines_of(Stream::Stdout)
    }

    /// The number behind `name=` in a line of stdout.
    pub(crate) fn number(&self, name: &str) -> i32 {
        let lines = self.stdout();
        let found = lines.iter().find_map(|line| line.strip_prefix(&format!("{name}="))?.parse().ok());
        found.unwrap_or_else(|| panic!("no {name} in {lines:?}"))
    }
}

/// When the caller asks the program to stop.
#[derive(Clone)]
pub(crate) struct StopAt {
    pub(crate) when: fn(&Seen) -> bool,
    pub(crate) stop: Stop,
}

/// Once the program has printed `ready`.
pub(crate) fn when_ready(seen: &Seen) -> bool {
    seen.lines.lock().unwrap().iter().any(|(_, line)| line == "ready")
}

/// A shutdown, once the program has printed `ready`.
pub(crate) fn shutdown_when_ready() -> Option<StopAt> {
    Some(StopAt { when: when_ready, stop: Stop::Shutdown("SIGTERM") })
}

struct Caller {
    seen: Arc<Seen>,
    stop_at: Option<StopAt>,
    keeps_lines: bool,
    takes: Duration,
}

impl Watch for Caller {
    fn gets_on(&self) {
        self.seen.beats.fetch_add(1, SeqCst);
        self.seen.started.lock().unwrap().get_or_insert_with(Instant::now);
    }

    fn progress(&self, progress: &Progress) {
        self.seen.progress.lock().unwrap().push(progress.clone());
    }

    fn line(&self, stream: Stream, line: &str) {
        self.seen.bytes.fetch_add(line.len() + 1, SeqCst);
        if self.keeps_lines {
            self.seen.lines.lock().unwrap().push((stream, line.to_owned()));
            self.seen.beats_at.lock().unwrap().push(self.seen.beats.load(SeqCst));
        }
        if self.takes > Duration::ZERO {
            // A caller that is slow: nobody ever sends.
            let (_sender, receiver) = channel::<()>();
            assert_eq!(receiver.recv_timeout(self.takes), Err(RecvTimeoutError::Timeout));
        }
    }

    fn stop_requested(&self) -> Option<Stop> {
        self.stop_at.as_ref().filter(|stop_at| (stop_at.when)(&self.seen)).map(|stop_at| stop_at.stop.clone())
    }

    fn asks_for_patience(&self, patience: Duration) {
        self.seen.patience.lock().unwrap().push(patience);
    }
}

/// A run to be.
pub(crate) struct Run {
    pub(crate) program: Program,
    pub(crate) input: Value,
    pub(crate) stop_at: Option<StopAt>,
    pub(crate) keeps_lines: bool,
    /// How long the caller takes for a line.
    pub(crate) takes: Duration,
}

impl Run {
    pub(crate) fn of(program: Program) -> Self {
        Self { program, input: json!({}), stop_at: None, keeps_lines: true, takes: Duration::ZERO }
    }

    pub(crate) fn sh(script: &str) -> Self {
        Self::of(Program::new(["sh", "-c", script]))
    }

    pub(crate) fn python(script: &str) -> Self {
        Self::of(Program::new(["python3", "-c", script]))
    }

    /// Runs it to its end; a run that does not end fails.
    pub(crate) fn end(self) -> (Report, Arc<Seen>) {
        let seen = Arc::new(Seen::default());
        let caller = Caller {
            seen: seen.clone(),
            stop_at: self.stop_at,
            keeps_lines: self.keeps_lines,
            takes: self.takes,
        };
        let job = JobFacts { id: "r-1".to_owned(), kind: "report".to_owned(), attempt: 2, input: self.input };
        let (sender, receiver) = channel();
        let program = self.program;
        let label = format!("{:?}", program.command);
        thread::spawn(move || {
            let _ = sender.send(run(&program, &job, &caller));
        });
        let report = receiver.recv_timeout(DEADLINE).unwrap_or_else(|error| panic!("{error}: {label}"));
        (report, seen)
    }

    /// The result of a program that must be done.
    pub(crate) fn result(self) -> Value {
        let (report, seen) = self.end();
        let Ended::Done { result } = report.ended else { panic!("{report:?} {seen:?}") };
        result
    }

    /// The failure of a program that must fail.
    pub(crate) fn failure(self) -> (String, String, bool) {
        let (report, seen) = self.end();
        let Ended::Failed { error, cause, retry } = report.ended else { panic!("{report:?} {seen:?}") };
        (error, cause, retry)
    }
}

/// Whether there is such a process.
pub(crate) fn is_alive(pid: i32) -> bool {
    std::path::Path::new(&format!("/proc/{pid}")).exists()
}

/// A shell line that waits until a condition holds, for a minute at most.
pub(crate) fn until(condition: &str) -> String {
    format!("n=0; until {condition}; do n=$((n+1)); [ $n -lt 3000 ] || exit 99; sleep 0.02; done; ")
}
