//! Reading variables and collecting what is wrong with them, so that a deployment is mended in one go.

use std::ffi::OsString;
use std::fmt::Display;
use std::time::Duration;

use super::InvalidConfig;

/// The longest interval that makes sense, in seconds: a year, as long as an execution may last.
const MAX_SECONDS: f64 = 31_536_000.0;

pub(super) struct Variables<'a> {
    lookup: &'a dyn Fn(&str) -> Option<OsString>,
    problems: Vec<String>,
}

impl<'a> Variables<'a> {
    pub(super) fn new(lookup: &'a dyn Fn(&str) -> Option<OsString>) -> Self {
        Self { lookup, problems: Vec::new() }
    }

    pub(super) fn required<T, E: Display>(
        &mut self,
        name: &str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        if self.is_set(name) {
            self.parsed(name, parse)
        } else {
            self.problem(name, "is not set");
            None
        }
    }

    pub(super) fn optional<T, E: Display>(
        &mut self,
        name: &str,
        default: T,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        if self.is_set(name) { self.parsed(name, parse) } else { Some(default) }
    }

    /// A time in seconds, more than none.
    pub(super) fn seconds(&mut self, name: &str, default: f64) -> Option<Duration> {
        let seconds = self.optional(name, default, |text| match text.parse::<f64>() {
            Ok(seconds) if seconds > 0.0 && seconds <= MAX_SECONDS => Ok(seconds),
            _ => Err(format!("must be a number of seconds, more than 0 and at most {MAX_SECONDS}")),
        });
        seconds.map(Duration::from_secs_f64)
    }

    /// Whether the variable has a value. An empty one has none: templates cannot leave a variable out.
    pub(super) fn is_set(&self, name: &str) -> bool {
        (self.lookup)(name).is_some_and(|value| !value.is_empty())
    }

    pub(super) fn problem(&mut self, name: &str, problem: impl Display) {
        self.problems.push(format!("{name} {problem}"));
    }

    /// The configuration, unless there were problems.
    pub(super) fn finish<T>(self, build: impl FnOnce() -> Option<T>) -> Result<T, InvalidConfig> {
        let invalid = InvalidConfig { problems: self.problems };
        if invalid.problems.is_empty() { build().ok_or(invalid) } else { Err(invalid) }
    }

    fn parsed<T, E: Display>(&mut self, name: &str, parse: impl FnOnce(&str) -> Result<T, E>) -> Option<T> {
        // The value may be a secret: only `parse` decides what of it may be told.
        let text = (self.lookup)(name).unwrap_or_default().into_string();
        match text.map(|text| parse(&text)) {
            Ok(Ok(value)) => Some(value),
            Ok(Err(problem)) => {
                self.problem(name, problem);
                None
            }
            Err(_) => {
                self.problem(name, "is not UTF-8");
                None
            }
        }
    }
}
