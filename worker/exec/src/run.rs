//! One program from its start to its end: a single loop looks after the channels, the clock and the process, and two
//! threads read the output. Whatever the program does, the loop ends, and nothing of it is left.

mod supervision;

use std::io;
use std::os::fd::AsFd;
use std::sync::{Mutex, PoisonError};
use std::thread::{self, Scope, ScopedJoinHandle};

use tracing::{error, info};

use crate::ended::{Ended, Report};
use crate::family::{Family, Strangers};
use crate::folder::Folder;
use crate::memory::OomKills;
use crate::notify::Notify;
use crate::outcome::Facts;
use crate::output::{Tail, follow};
use crate::process;
use crate::program::{JobFacts, Program};
use crate::progress::{Channel, Progress};
use crate::pulse::Pulse;
use crate::start::{StartError, Streams, start};
use crate::watch::{Stream, Watch};
use crate::written;
use supervision::Supervision;

/// Orphans come to the process, and none says whose they were: only one program is looked after at a time.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// Runs the program for this job and returns how it ended, when no process of it is left. To be called on a thread that may
/// block. It makes this process non-dumpable and a reaper of orphans, for good; children that other threads start while it
/// runs are taken for the program's.
pub fn run(program: &Program, job: &JobFacts, watch: &dyn Watch) -> Report {
    let _alone = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let pulse = Pulse::new(program.beat, watch);
    let end = supervise(program, job, watch, &pulse).unwrap_or_else(|error| {
        let (name, retry) = (error.name().to_owned(), error.is_transient());
        Seen::only(Ended::Failed { error: name, cause: error.to_string(), retry })
    });
    Report {
        ended: end.ended,
        counted: pulse.counted(),
        progress: end.progress,
        left_behind: end.left_behind,
    }
}

/// What a run leaves to be reported.
struct Seen {
    ended: Ended,
    progress: Option<Progress>,
    left_behind: usize,
}

impl Seen {
    fn only(ended: Ended) -> Self {
        Self { ended, progress: None, left_behind: 0 }
    }
}

fn supervise(
    program: &Program,
    job: &JobFacts,
    watch: &dyn Watch,
    pulse: &Pulse<'_>,
) -> Result<Seen, StartError> {
    if let Some(stop) = watch.stop_requested() {
        let how = format!("the program was not started ({stop})");
        return Ok(Seen::only(Ended::Stopped { stop, how, killed: false }));
    }
    process::prepare()
        .map_err(|error| StartError::ours("hide the task token from the program")(io::Error::from(error)))?;
    let folder = Folder::make(program.scratch.as_deref()).map_err(StartError::ours(
        "make a folder for temporary files: set TMPDIR to one that can be written to",
    ))?;
    let channel = Channel::make(&folder.progress()).map_err(StartError::ours("make the progress channel"))?;
    let notify = Notify::listen(&folder.notify()).map_err(StartError::ours("listen for sd_notify"))?;
    let oom_kills = OomKills::before();
    let (stdout, stdout_writer) = io::pipe().map_err(StartError::ours("make a pipe for stdout"))?;
    let (stderr, stderr_writer) = io::pipe().map_err(StartError::ours("make a pipe for stderr"))?;
    // Closed when no process of the program is left: the readers then take what is in the pipes, and wait for no more.
    let (ended, ends) = io::pipe().map_err(StartError::ours("make a pipe"))?;

    thread::scope(|scope| {
        let ends = ends;
        let read = |pipe, stream| {
            reader(scope, stream, &ended, move |ended| follow(pipe, stream, ended, watch, pulse))
        };
        let stdout = read(stdout, Stream::Stdout)?;
        let stderr = read(stderr, Stream::Stderr)?;
        let streams = Streams { stdout: stdout_writer, stderr: stderr_writer };
        let strangers = Strangers::now();
        let child = start(program, job, &folder, notify.is_some(), streams)?;
        let family = Family::of(&child, strangers);
        info!(process_id = child.id(), "Started the program");
        pulse.started();

        let end = Supervision::new(watch, pulse, family, channel, notify, program.grace).until_the_end();
        drop(ends);
        joined(stdout);
        let facts = Facts {
            status: end.status,
            written: written::read(&folder.result()),
            last_words: joined(stderr).text(),
            out_of_memory: oom_kills.any_since(),
            stopping: end.stopping,
            exit_codes: &program.exit_codes,
        };
        folder.remove();
        Ok(Seen { ended: facts.outcome(), progress: end.progress, left_behind: end.left_behind })
    })
}

/// Starts a thread that reads.
fn reader<'scope, E: AsFd + Sync>(
    scope: &'scope Scope<'scope, '_>,
    stream: Stream,
    ended: &'scope E,
    read: impl FnOnce(&E) -> Tail + Send + 'scope,
) -> Result<ScopedJoinHandle<'scope, Tail>, StartError> {
    thread::Builder::new()
        .name(stream.as_str().to_owned())
        .spawn_scoped(scope, move || read(ended))
        .map_err(StartError::ours("start a thread"))
}

/// What the thread read. A panic is the caller's, in `line`: the end of the program is reported all the same.
fn joined(reader: ScopedJoinHandle<'_, Tail>) -> Tail {
    reader.join().unwrap_or_else(|_| {
        error!("Reading the program's output panicked");
        Tail::default()
    })
}
