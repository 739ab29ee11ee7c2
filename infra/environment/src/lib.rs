#![doc = include_str!("../README.md")]

use std::ffi::OsString;
use std::fmt::Display;
use std::time::Duration;

/// The longest interval that makes sense, in seconds: a year, as long as an execution may last.
const MAX_SECONDS: f64 = 31_536_000.0;

/// A variable of this process; none where it is not set.
#[expect(clippy::disallowed_methods, reason = "this is the one place that reads the environment")]
#[must_use]
pub fn of_process(name: &str) -> Option<OsString> {
    std::env::var_os(name)
}

/// What is wrong with an environment: one line for each problem, which begins with the variable's name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", problems.join("\n"))]
pub struct InvalidEnvironment {
    problems: Vec<String>,
}

impl InvalidEnvironment {
    /// Each problem as a sentence: `HOLD_SECONDS is not set`.
    #[must_use]
    pub fn problems(&self) -> &[String] {
        &self.problems
    }
}

/// The variables of an environment while they are read, and what was wrong with them so far. What is asked for is `None`
/// where it was wrong.
pub struct Variables<'a> {
    lookup: &'a dyn Fn(&str) -> Option<OsString>,
    problems: Vec<String>,
}

impl<'a> Variables<'a> {
    /// The variables that `lookup` finds by their names.
    #[must_use]
    pub fn new(lookup: &'a dyn Fn(&str) -> Option<OsString>) -> Self {
        Self { lookup, problems: Vec::new() }
    }

    /// A variable that must be set.
    pub fn required<T, E: Display>(
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

    /// A variable that has a default.
    pub fn optional<T, E: Display>(
        &mut self,
        name: &str,
        default: T,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        if self.is_set(name) { self.parsed(name, parse) } else { Some(default) }
    }

    /// A time in seconds, more than none.
    pub fn seconds(&mut self, name: &str, default: f64) -> Option<Duration> {
        let seconds = self.optional(name, default, |text| match text.parse::<f64>() {
            Ok(seconds) if seconds > 0.0 && seconds <= MAX_SECONDS => Ok(seconds),
            _ => Err(format!("must be a number of seconds, more than 0 and at most {MAX_SECONDS}")),
        });
        seconds.map(Duration::from_secs_f64)
    }

    /// Whether the variable has a value. An empty one has none: templates cannot leave a variable out.
    #[must_use]
    pub fn is_set(&self, name: &str) -> bool {
        (self.lookup)(name).is_some_and(|value| !value.is_empty())
    }

    /// Notes what is wrong with a variable; `problem` goes on from its name.
    pub fn problem(&mut self, name: &str, problem: impl Display) {
        self.problems.push(format!("{name} {problem}"));
    }

    /// The configuration, unless there were problems.
    ///
    /// # Errors
    /// [`InvalidEnvironment`], with every problem.
    pub fn finish<T>(self, build: impl FnOnce() -> Option<T>) -> Result<T, InvalidEnvironment> {
        let invalid = InvalidEnvironment { problems: self.problems };
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

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(variables: &[(&str, &str)]) -> Result<(u8, u8, Duration), InvalidEnvironment> {
        let lookup =
            |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| value.into());
        let mut variables = Variables::new(&lookup);
        let number = |text: &str| text.parse::<u8>();
        let (a, b) = (variables.required("A", number), variables.optional("B", 7, number));
        let wait = variables.seconds("WAIT", 0.5);
        variables.finish(|| Some((a?, b?, wait?)))
    }

    #[test]
    fn a_variable_is_read_or_has_its_default_and_an_empty_one_is_not_set() {
        assert_eq!(numbers(&[("A", "1"), ("B", "")]), Ok((1, 7, Duration::from_millis(500))));
        assert_eq!(numbers(&[("A", "1"), ("B", "2"), ("WAIT", "3")]), Ok((1, 2, Duration::from_secs(3))));
    }

    #[test]
    fn every_problem_is_told_at_once_with_its_variable() {
        let error = numbers(&[("A", ""), ("B", "many"), ("WAIT", "-1")]).unwrap_err();
        let [a, b, wait] = error.problems() else { panic!("{error:?}") };
        assert_eq!(a, "A is not set");
        assert_eq!(b, "B invalid digit found in string");
        assert_eq!(wait, "WAIT must be a number of seconds, more than 0 and at most 31536000");
        assert_eq!(error.to_string().lines().count(), 3);
    }

    #[cfg(unix)]
    #[test]
    fn a_value_that_is_not_utf_8_is_not_repeated() {
        use std::os::unix::ffi::OsStringExt as _;
        let lookup = |_: &str| Some(OsString::from_vec(b"secret\xff".to_vec()));
        let mut variables = Variables::new(&lookup);
        assert_eq!(variables.required("A", |text| Ok::<_, String>(text.to_owned())), None);
        let error = variables.finish(|| Some(())).unwrap_err();
        assert_eq!(error.problems(), ["A is not UTF-8"]);
    }
}
