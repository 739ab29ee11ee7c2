//! Starting the program: what is in its environment, and what a person can do where it does not start. The task token is
//! withheld here, whatever the caller forgets.

use std::ffi::{OsStr, OsString};
use std::io::{self, ErrorKind, PipeWriter};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::folder::Folder;
use crate::program::{Beat, INPUT_VARIABLE_LIMIT, JobFacts, Program};

/// What belongs to us and to who started us. A program that is told of a watchdog that is not its own, or of sockets that
/// it was not given, waits for them or fails.
const WITHHELD: [&str; 6] =
    ["TASK_TOKEN", "WATCHDOG_USEC", "WATCHDOG_PID", "LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES"];

/// Why a program did not start.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StartError {
    /// There is no command.
    #[error("there is no program to run: give the command, such as `baton-exec -- python3 report.py`")]
    NoCommand,
    /// The folder is missing.
    #[error("the folder {} to run the program in is not there: create it in the image, or correct `workdir`", .0.display())]
    NoWorkdir(PathBuf),
    /// The program is missing.
    #[error(
        "there is no program `{}`: install it in the image, or correct the command; a name without a slash is looked up in PATH",
        .0.display()
    )]
    NoProgram(OsString),
    /// The file is there, and what would run it is not.
    #[error(
        "the program {} is there, but what runs it is not: install the interpreter that its first line names (`#!`), or \
         build it for the libc and the processor of this image",
        .0.display()
    )]
    NoInterpreter(PathBuf),
    /// The program may not be run.
    #[error("the program `{}` is not executable for this user: `chmod +x` it in the image, or name its interpreter in front of it", .0.display())]
    NotExecutable(OsString),
    /// The kernel does not know how to run it.
    #[error("the file `{}` is not a program for this machine: begin a script with `#!/bin/sh` or the like, and build for this processor", .0.display())]
    NotAProgram(OsString),
    /// Arguments and variables take too much room.
    #[error("the arguments and variables of `{}` are too long for the kernel: pass large values in the input", .0.display())]
    TooLong(OsString),
    /// Anything else.
    #[error("failed to start `{}`: {error}", .program.display())]
    Other {
        /// What was to be started.
        program: OsString,
        /// What the system said.
        error: io::Error,
    },
    /// Something that is ours is missing.
    #[error("failed to {tried}: {error}")]
    Ours {
        /// What was tried.
        tried: &'static str,
        /// What the system said.
        error: io::Error,
    },
}

impl StartError {
    /// Of a step that is ours.
    pub(crate) fn ours(tried: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |error| Self::Ours { tried, error }
    }

    /// The name of the failure.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::NoCommand | Self::NoProgram(_) | Self::NoInterpreter(_) => "Program.NotFound",
            Self::NoWorkdir(_) => "Program.NoWorkdir",
            Self::NotExecutable(_) | Self::NotAProgram(_) => "Program.NotExecutable",
            Self::TooLong(_) => "Program.TooLong",
            Self::Other { .. } | Self::Ours { .. } => "Program.NotStarted",
        }
    }

    /// Whether another attempt may succeed: a machine that is short of something is, an image that lacks a program is not.
    pub(crate) fn is_transient(&self) -> bool {
        match self {
            Self::Other { error, .. } => error.kind() != ErrorKind::InvalidInput,
            Self::Ours { .. } => true,
            _ => false,
        }
    }
}

/// The two pipes that the program writes to.
pub(crate) struct Streams {
    pub(crate) stdout: PipeWriter,
    pub(crate) stderr: PipeWriter,
}

/// Starts the program in a process group of its own.
pub(crate) fn start(
    program: &Program,
    job: &JobFacts,
    folder: &Folder,
    notify: bool,
    streams: Streams,
) -> Result<Child, StartError> {
    let Some((name, arguments)) = program.command.split_first() else {
        return Err(StartError::NoCommand);
    };
    if let Some(workdir) = program.workdir.as_ref().filter(|workdir| !workdir.is_dir()) {
        return Err(StartError::NoWorkdir(workdir.clone()));
    }
    let mut command = Command::new(name);
    command.args(arguments).process_group(0);
    command.stdin(Stdio::null()).stdout(streams.stdout).stderr(streams.stderr);
    if let Some(workdir) = &program.workdir {
        command.current_dir(workdir);
    }
    set_environment(&mut command, program, job, folder, notify)?;
    command.spawn().map_err(|error| explained(error, name, program.workdir.as_deref()))
}

fn set_environment(
    command: &mut Command,
    program: &Program,
    job: &JobFacts,
    folder: &Folder,
    notify: bool,
) -> Result<(), StartError> {
    let input = job.input.to_string();
    std::fs::write(folder.input(), &input).map_err(StartError::ours("write the input into a file"))?;
    command.envs(program.variables.iter().map(|(name, value)| (name, value)));
    for name in WITHHELD.iter().map(OsStr::new).chain(program.withheld.iter().map(OsString::as_os_str)) {
        command.env_remove(name);
    }
    command.env("BATON_JOB_ID", &job.id);
    command.env("BATON_KIND", &job.kind);
    command.env("BATON_ATTEMPT", job.attempt.to_string());
    command.env("BATON_INPUT_FILE", folder.input());
    command.env("BATON_PROGRESS", folder.progress());
    command.env("BATON_RESULT", folder.result());
    if input.len() <= INPUT_VARIABLE_LIMIT {
        command.env("BATON_INPUT", input);
    } else {
        command.env_remove("BATON_INPUT");
    }
    if notify {
        command.env("NOTIFY_SOCKET", folder.notify());
    } else {
        command.env_remove("NOTIFY_SOCKET");
    }
    // A program that is told beats by itself: only where that counts. WATCHDOG_PID stays unset, which means everyone.
    if let (true, Beat::Auto | Beat::Progress, Some(limit)) = (notify, program.beat, program.stall_limit) {
        command.env("WATCHDOG_USEC", limit.as_micros().to_string());
    }
    Ok(())
}

/// The error of `spawn`, which does not say what was not found.
fn explained(error: io::Error, name: &OsStr, workdir: Option<&Path>) -> StartError {
    /// The kernel's word for a file that it cannot run (ENOEXEC).
    const NO_EXEC: i32 = 8;
    let owned = name.to_owned();
    match error.kind() {
        ErrorKind::NotFound => {
            // As the program sees it: a path with a slash is looked up from its folder.
            let path = workdir.map_or_else(|| PathBuf::from(name), |workdir| workdir.join(name));
            let has_slash = Path::new(name).components().count() > 1;
            if has_slash && path.exists() {
                StartError::NoInterpreter(path)
            } else {
                StartError::NoProgram(owned)
            }
        }
        ErrorKind::PermissionDenied => StartError::NotExecutable(owned),
        ErrorKind::ArgumentListTooLong => StartError::TooLong(owned),
        _ if error.raw_os_error() == Some(NO_EXEC) => StartError::NotAProgram(owned),
        _ => StartError::Other { program: owned, error },
    }
}
