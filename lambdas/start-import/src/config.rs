//! The environment of the function, read once and all of it: whatever is wrong is reported together, by variable.

use std::ffi::OsString;
use std::fmt;
use std::str::FromStr;

use environment::{InvalidEnvironment, Variables};
use logging::{Format, Namespace, Settings};

/// What the function needs to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// `STATE_MACHINE_ARN`: the import machine.
    pub state_machine_arn: StateMachineArn,
    /// `DEAD_LETTER_STATE_MACHINE_ARN`: the machine that settles the message of an execution that failed.
    pub dead_letter_state_machine_arn: StateMachineArn,
    /// `HOLD_SECONDS`: for how long a message is hidden whose execution runs, as the import machine hides it. 1 to 43200.
    pub hold_seconds: i32,
    /// `QUEUE_URL`: the queue that the events come from.
    pub queue_url: String,
    /// `LANES`: `true` where the queue is that of the lanes, whose messages have been sent to another queue first. Default
    /// `false`.
    pub lanes: bool,
    /// `RUST_LOG`: what is logged, in the syntax of `tracing_subscriber::EnvFilter`. Default `info`.
    pub log_filter: String,
    /// `METRICS_NAMESPACE`: where CloudWatch publishes the metrics of the log. Default none, so that lines tell of no metrics.
    pub metrics_namespace: Option<Namespace>,
}

/// The longest that SQS hides a message.
const MAX_HOLD_SECONDS: i32 = 43_200;

impl Config {
    /// Reads the process's environment.
    ///
    /// # Errors
    /// [`InvalidEnvironment`] with everything that is missing or wrong.
    pub fn from_env() -> Result<Self, InvalidEnvironment> {
        Self::from_lookup(&environment::of_process)
    }

    /// Reads the variables that `lookup` finds by their names.
    ///
    /// # Errors
    /// See [`from_env`](Self::from_env).
    pub fn from_lookup(lookup: &dyn Fn(&str) -> Option<OsString>) -> Result<Self, InvalidEnvironment> {
        let mut variables = Variables::new(lookup);
        let state_machine_arn = variables.required("STATE_MACHINE_ARN", machine);
        let dead_letter_state_machine_arn = variables.required("DEAD_LETTER_STATE_MACHINE_ARN", machine);
        let hold_seconds = variables.required("HOLD_SECONDS", hold);
        let queue_url = variables.required("QUEUE_URL", lambda_shared::url);
        let lanes = variables.optional("LANES", false, |text| {
            text.parse().map_err(|_| format!("is {text:?}, not true or false"))
        });
        let log_filter =
            variables.optional("RUST_LOG", "info".to_owned(), |text| Ok::<_, String>(text.to_owned()));
        let metrics_namespace = variables.optional("METRICS_NAMESPACE", None, |text| {
            text.parse().map(Some).map_err(|problem| format!("is {text:?}, which {problem}"))
        });
        variables.finish(|| {
            Some(Self {
                state_machine_arn: state_machine_arn?,
                dead_letter_state_machine_arn: dead_letter_state_machine_arn?,
                hold_seconds: hold_seconds?,
                queue_url: queue_url?,
                lanes: lanes?,
                log_filter: log_filter?,
                metrics_namespace: metrics_namespace?,
            })
        })
    }

    /// What is logged, and where metrics are published.
    #[must_use]
    pub fn log(&self) -> Settings {
        let (filter, namespace) = (self.log_filter.clone(), self.metrics_namespace.clone());
        Settings { format: Format::Json, filter, namespace }
    }
}

fn machine(arn: &str) -> Result<StateMachineArn, String> {
    let form = "arn:<partition>:states:<region>:<account>:stateMachine:<name>";
    arn.parse().map_err(|InvalidArn| format!("is {arn:?}, not {form}"))
}

fn hold(seconds: &str) -> Result<i32, String> {
    let parsed = seconds.parse().ok().filter(|seconds| (1..=MAX_HOLD_SECONDS).contains(seconds));
    parsed.ok_or_else(|| format!("is {seconds:?}, not 1 to {MAX_HOLD_SECONDS}"))
}

/// The ARN of a state machine, without version or alias: the ARNs of its executions are derived from it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateMachineArn(String);

/// The text is not the ARN of a state machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidArn;

impl StateMachineArn {
    /// The ARN as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The ARN of the execution that has this name.
    #[must_use]
    pub fn execution(&self, name: &str) -> String {
        format!("{}:{name}", self.0.replacen(":stateMachine:", ":execution:", 1))
    }
}

impl fmt::Display for StateMachineArn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for StateMachineArn {
    type Err = InvalidArn;

    fn from_str(text: &str) -> Result<Self, InvalidArn> {
        let parts: Vec<&str> = text.split(':').collect();
        match parts[..] {
            ["arn", partition, "states", region, account, "stateMachine", name]
                if [partition, region, account, name].iter().all(|part| !part.is_empty()) =>
            {
                Ok(Self(text.to_owned()))
            }
            _ => Err(InvalidArn),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ARN: &str = "arn:aws:states:ap-northeast-1:123456789012:stateMachine:import";

    fn config(variables: &[(&str, &str)]) -> Result<Config, InvalidEnvironment> {
        Config::from_lookup(&|name| {
            variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).into())
        })
    }

    #[test]
    fn everything_that_is_wrong_is_reported_at_once_by_variable() {
        assert_eq!(
            config(&[]).unwrap_err().problems(),
            [
                "STATE_MACHINE_ARN is not set",
                "DEAD_LETTER_STATE_MACHINE_ARN is not set",
                "HOLD_SECONDS is not set",
                "QUEUE_URL is not set",
            ]
        );
        let invalid = config(&[
            ("STATE_MACHINE_ARN", "import"),
            ("QUEUE_URL", "imports"),
            ("HOLD_SECONDS", "50000"),
            ("LANES", "20"),
            ("METRICS_NAMESPACE", "AWS/States"),
        ])
        .unwrap_err();
        let problems = invalid.problems();
        assert!(problems[0].starts_with("STATE_MACHINE_ARN is \"import\", not arn:"));
        assert_eq!(problems[2], "HOLD_SECONDS is \"50000\", not 1 to 43200");
        assert_eq!(problems[3], "QUEUE_URL is \"imports\", not a URL");
        assert_eq!(problems[4], "LANES is \"20\", not true or false");
        assert!(problems[5].starts_with("METRICS_NAMESPACE is \"AWS/States\", which "));
    }

    #[test]
    fn the_log_filter_and_the_lanes_have_defaults() {
        let url = "https://sqs.ap-northeast-1.amazonaws.com/123456789012/imports";
        let config = config(&[
            ("STATE_MACHINE_ARN", ARN),
            ("DEAD_LETTER_STATE_MACHINE_ARN", ARN),
            ("QUEUE_URL", url),
            ("HOLD_SECONDS", "42000"),
            ("RUST_LOG", ""),
        ])
        .unwrap();
        assert_eq!((config.queue_url.as_str(), config.log_filter.as_str()), (url, "info"));
        assert_eq!((config.hold_seconds, config.lanes), (42_000, false));
    }

    #[test]
    fn an_executions_arn_is_derived_from_that_of_its_state_machine() {
        let arn: StateMachineArn = ARN.parse().unwrap();
        assert_eq!(
            arn.execution("people-1"),
            "arn:aws:states:ap-northeast-1:123456789012:execution:import:people-1"
        );
    }

    #[test]
    fn a_version_or_an_alias_is_refused() {
        assert_eq!(format!("{ARN}:PROD").parse::<StateMachineArn>(), Err(InvalidArn));
        assert_eq!(ARN.replace("stateMachine", "execution").parse::<StateMachineArn>(), Err(InvalidArn));
    }
}
