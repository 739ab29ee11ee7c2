//! What the end of a program means: its exit, what it wrote, and whether it was asked to stop, in; done, failed or stopped,
//! out. Nothing here touches a process.

mod failure;
mod signals;

use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;

use serde_json::Value;
use tracing::warn;

use crate::ended::Ended;
use crate::program::{ExitClass, ExitCodes};
use crate::watch::Stop;
use crate::written::{NoResult, Written};
use failure::Told;

/// All that is known of the end.
#[derive(Debug)]
pub(crate) struct Facts<'a> {
    /// How the program itself ended; none where that is not known.
    pub(crate) status: Option<ExitStatus>,
    pub(crate) written: Result<Written, NoResult>,
    /// The last lines of stderr.
    pub(crate) last_words: String,
    /// Whether the kernel killed something of this container for lack of memory.
    pub(crate) out_of_memory: bool,
    pub(crate) stopping: Option<Stopping>,
    pub(crate) exit_codes: &'a ExitCodes,
}

/// A request to stop, and what came of it.
#[derive(Clone, Debug)]
pub(crate) struct Stopping {
    pub(crate) stop: Stop,
    /// Whether it had to be killed.
    pub(crate) killed: bool,
}

impl Facts<'_> {
    /// What it means.
    pub(crate) fn outcome(self) -> Ended {
        let class = self.class();
        let Some(Stopping { stop, killed }) = self.stopping.clone() else {
            return self.failed_or_done(class);
        };
        // Many programs end with 0 when they are asked to stop. Only one that wrote a result has finished its work.
        if let (Ok(Written::Result(result)), Some(ExitClass::Done)) = (&self.written, class)
            && Told::by(result, true).is_none()
            && !matches!(stop, Stop::NotOurs(_))
        {
            return Ended::Done { result: result.clone() };
        }
        let grace = if killed { "; it had to be killed, since it did not end within the grace" } else { "" };
        let how = format!("after a request to stop ({stop}) the program {}{grace}", self.exit());
        Ended::Stopped { stop, how, killed }
    }

    fn failed_or_done(self, class: Option<ExitClass>) -> Ended {
        let is_done = class == Some(ExitClass::Done);
        if let Ok(Written::Result(value)) = &self.written
            && let Some(told) = Told::by(value, is_done)
        {
            let retry = told.retry.unwrap_or(self.is_retried(class));
            return Ended::Failed {
                error: told.error,
                cause: told.cause.unwrap_or_else(|| self.cause()),
                retry,
            };
        }
        if !is_done {
            match &self.written {
                Ok(Written::Nothing) => {}
                Ok(Written::Result(_)) => {
                    warn!("The program wrote a result and failed: the result is dropped")
                }
                Err(error) => warn!(%error, "The program failed, and what it wrote as its result is dropped"),
            }
            return Ended::Failed { error: self.name(), cause: self.cause(), retry: self.is_retried(class) };
        }
        match self.written {
            Ok(Written::Nothing) => Ended::Done { result: Value::Null },
            Ok(Written::Result(result)) => Ended::Done { result },
            Err(error) => {
                Ended::Failed { error: error.name().to_owned(), cause: error.to_string(), retry: false }
            }
        }
    }

    /// None for a program that did not exit.
    fn class(&self) -> Option<ExitClass> {
        self.status.and_then(|status| status.code()).map(|code| self.exit_codes.class(code))
    }

    /// Death by a signal is tried again, and so is what fails for lack of memory.
    fn is_retried(&self, class: Option<ExitClass>) -> bool {
        match class {
            None | Some(ExitClass::Retried) => true,
            Some(ExitClass::Final) => self.out_of_memory,
            Some(ExitClass::Done) => false,
        }
    }

    fn name(&self) -> String {
        if self.out_of_memory {
            return "OutOfMemory".to_owned();
        }
        match self.status.map(|status| (status.code(), status.signal())) {
            Some((Some(code), _)) => format!("ExitCode.{code}"),
            Some((None, Some(signal))) => format!("Signal.{}", signals::name(signal)),
            _ => "Program.Lost".to_owned(),
        }
    }

    fn cause(&self) -> String {
        let memory = if self.out_of_memory {
            "; meanwhile the kernel killed a process of this container for lack of memory: give the task more, or use less"
        } else {
            ""
        };
        let exit = self.exit();
        if self.last_words.is_empty() {
            format!("the program {exit}{memory}; it wrote nothing to stderr")
        } else {
            format!("the program {exit}{memory}. The end of its stderr:\n{}", self.last_words)
        }
    }

    /// How it ended, as the end of a sentence.
    fn exit(&self) -> String {
        let Some(status) = self.status else {
            return "ended in a way that could not be found out".to_owned();
        };
        match (status.code(), status.signal()) {
            (Some(code), _) => match signals::of_shell(code) {
                Some(signal) => format!(
                    "ended with exit code {code}, by which a shell says that {signal} killed its command"
                ),
                None => format!("ended with exit code {code}"),
            },
            (None, Some(signal))
                if signal == signals::KILL && !self.out_of_memory && self.stopping.is_none() =>
            {
                "was killed by SIGKILL, which is what happens for lack of memory, too".to_owned()
            }
            (None, Some(signal)) => format!("was killed by {}", signals::name(signal)),
            (None, None) => format!("ended: {status}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::json;

    use super::*;

    /// The end of a program that exited with this code and wrote this.
    fn end(code: i32, written: Result<Written, NoResult>) -> Facts<'static> {
        Facts {
            status: Some(ExitStatus::from_raw(code << 8)),
            written,
            last_words: String::new(),
            out_of_memory: false,
            stopping: None,
            exit_codes: Box::leak(Box::new(ExitCodes::default())),
        }
    }

    fn wrote(value: Value) -> Result<Written, NoResult> {
        Ok(Written::Result(value))
    }

    fn failure(ended: &Ended) -> (&str, bool) {
        let Ended::Failed { error, retry, .. } = ended else { panic!("{ended:?}") };
        (error, *retry)
    }

    #[test]
    fn an_explicit_failure_comes_before_the_exit_code() {
        for code in [0, 1, 75] {
            let ended = end(code, wrote(json!({"error": "NoMonth", "retry": true}))).outcome();
            assert_eq!(failure(&ended), ("NoMonth", true));
        }
        let retry = |code| failure(&end(code, wrote(json!({"error": "NoMonth"}))).outcome()).1;
        assert_eq!(
            (retry(0), retry(1), retry(75)),
            (false, false, true),
            "the exit code decides what is not said"
        );
    }

    #[test]
    fn a_result_may_have_a_field_called_error() {
        let result = json!({"error": "none", "rows": 3});
        assert_eq!(end(0, wrote(result.clone())).outcome(), Ended::Done { result: result.clone() });
        assert_eq!(
            failure(&end(1, wrote(result)).outcome()),
            ("none", false),
            "not when the exit code is a failure"
        );
    }

    #[test]
    fn lack_of_memory_is_retried_whatever_the_exit_code_is() {
        let ended = Facts { out_of_memory: true, ..end(1, Ok(Written::Nothing)) }.outcome();
        assert_eq!(failure(&ended), ("OutOfMemory", true));
        let ended = Facts { out_of_memory: true, ..end(0, Ok(Written::Nothing)) }.outcome();
        assert_eq!(ended, Ended::Done { result: Value::Null }, "the program coped with it");
    }

    #[test]
    fn a_program_that_was_stopped_is_done_only_with_a_result() {
        let stopped = |stop: &Stop, written| {
            let stopping = Some(Stopping { stop: stop.clone(), killed: false });
            Facts { stopping, ..end(0, written) }.outcome()
        };
        let shutdown = Stop::Shutdown("SIGTERM");
        assert!(matches!(stopped(&shutdown, Ok(Written::Nothing)), Ended::Stopped { .. }));
        assert_eq!(stopped(&shutdown, wrote(json!(3))), Ended::Done { result: json!(3) });
        assert!(matches!(stopped(&shutdown, wrote(json!({"error": "Stopped"}))), Ended::Stopped { .. }));
        assert_eq!(
            stopped(&Stop::BeatsFailed(Duration::ZERO), wrote(json!(3))),
            Ended::Done { result: json!(3) }
        );
        assert!(matches!(stopped(&Stop::NotOurs(String::new()), wrote(json!(3))), Ended::Stopped { .. }));
    }

    #[test]
    fn a_shell_that_passes_a_signal_on_is_retried_as_the_signal_is() {
        let Ended::Failed { cause, retry, .. } = end(137, Ok(Written::Nothing)).outcome() else { panic!() };
        assert!(retry && cause.contains("SIGKILL"), "{cause}");
    }
}
