//! The environment of the function, read once and all of it: whatever is wrong is reported together, by variable.

use std::fmt;
use std::str::FromStr;

use logging::Namespace;

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
    /// `RUST_LOG`: what is logged, in the syntax of `tracing_subscriber::EnvFilter`. Default `info`.
    pub log_filter: String,
    /// `METRICS_NAMESPACE`: where CloudWatch publishes the metrics of the log. Default none, so that lines tell of no metrics.
    pub metrics_namespace: Option<Namespace>,
}

/// The longest that SQS hides a message.
const MAX_HOLD_SECONDS: i32 = 43_200;

/// What is wrong with the environment: one sentence for each variable.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.join("; "))]
pub struct ConfigError(pub Vec<String>);

impl Config {
    /// Reads the process's environment.
    ///
    /// # Errors
    /// [`ConfigError`] with everything that is missing or wrong.
    pub fn from_env() -> Result<Self, ConfigError> {
        #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the environment")]
        Self::from_variables(|name| std::env::var(name).ok())
    }

    fn from_variables(variable: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let given = |name| variable(name).filter(|value| !value.is_empty());
        let required = |name| given(name).ok_or_else(|| format!("{name} is not set"));
        let machine = |name| {
            required(name).and_then(|arn| {
                arn.parse::<StateMachineArn>().map_err(|InvalidArn| {
                    format!(
                        "{name} is {arn:?}, not arn:<partition>:states:<region>:<account>:stateMachine:<name>"
                    )
                })
            })
        };
        let state_machine_arn = machine("STATE_MACHINE_ARN");
        let dead_letter_state_machine_arn = machine("DEAD_LETTER_STATE_MACHINE_ARN");
        let hold_seconds = required("HOLD_SECONDS").and_then(|seconds| {
            let parsed = seconds.parse().ok().filter(|seconds| (1..=MAX_HOLD_SECONDS).contains(seconds));
            parsed.ok_or_else(|| format!("HOLD_SECONDS is {seconds:?}, not 1 to {MAX_HOLD_SECONDS}"))
        });
        let queue_url = required("QUEUE_URL").and_then(|url| {
            let is_url = url.starts_with("https://") || url.starts_with("http://");
            if is_url { Ok(url) } else { Err(format!("QUEUE_URL is {url:?}, not a URL")) }
        });
        let log_filter = given("RUST_LOG").unwrap_or_else(|| "info".to_owned());
        let metrics_namespace = given("METRICS_NAMESPACE").map(|text| {
            text.parse().map_err(|problem| format!("METRICS_NAMESPACE is {text:?}, which {problem}"))
        });
        let metrics_namespace = metrics_namespace.transpose();
        match (state_machine_arn, dead_letter_state_machine_arn, queue_url, hold_seconds, metrics_namespace) {
            (
                Ok(state_machine_arn),
                Ok(dead_letter_state_machine_arn),
                Ok(queue_url),
                Ok(hold_seconds),
                Ok(metrics_namespace),
            ) => Ok(Self {
                state_machine_arn,
                dead_letter_state_machine_arn,
                hold_seconds,
                queue_url,
                log_filter,
                metrics_namespace,
            }),
            (import, dead_letter, url, hold, metrics) => {
                let problems = [import.err(), dead_letter.err(), url.err(), hold.err(), metrics.err()];
                Err(ConfigError(problems.into_iter().flatten().collect()))
            }
        }
    }

    /// What is logged, and where metrics are published.
    #[must_use]
    pub fn log(&self) -> (&str, Option<&Namespace>) {
        (&self.log_filter, self.metrics_namespace.as_ref())
    }
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

    fn config(variables: &[(&str, &str)]) -> Result<Config, ConfigError> {
        Config::from_variables(|name| {
            variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn everything_that_is_wrong_is_reported_at_once_by_variable() {
        assert_eq!(
            config(&[]).unwrap_err().to_string(),
            "STATE_MACHINE_ARN is not set; DEAD_LETTER_STATE_MACHINE_ARN is not set; QUEUE_URL is not set; \
             HOLD_SECONDS is not set"
        );
        let ConfigError(problems) =
            config(&[("STATE_MACHINE_ARN", "import"), ("QUEUE_URL", "imports"), ("HOLD_SECONDS", "50000")])
                .unwrap_err();
        assert!(problems[0].starts_with("STATE_MACHINE_ARN is \"import\""));
        assert!(problems[2].starts_with("QUEUE_URL is \"imports\""));
        assert_eq!(problems[3], "HOLD_SECONDS is \"50000\", not 1 to 43200");
    }

    #[test]
    fn the_log_filter_has_a_default() {
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
        assert_eq!(config.hold_seconds, 42_000);
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
