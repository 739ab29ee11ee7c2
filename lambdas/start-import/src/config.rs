//! The environment of the function, read once and all of it: whatever is wrong is reported together, by variable.

use std::fmt;
use std::str::FromStr;

/// What the function needs to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// `STATE_MACHINE_ARN`: the import machine.
    pub state_machine_arn: StateMachineArn,
    /// `QUEUE_URL`: the queue that the events come from.
    pub queue_url: String,
    /// `RUST_LOG`: what is logged, in the syntax of `tracing_subscriber::EnvFilter`. Default `info`.
    pub log_filter: String,
}

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
        let state_machine_arn = required("STATE_MACHINE_ARN").and_then(|arn| {
            arn.parse().map_err(|InvalidArn| {
                format!("STATE_MACHINE_ARN is {arn:?}, not arn:<partition>:states:<region>:<account>:stateMachine:<name>")
            })
        });
        let queue_url = required("QUEUE_URL").and_then(|url| {
            let is_url = url.starts_with("https://") || url.starts_with("http://");
            if is_url { Ok(url) } else { Err(format!("QUEUE_URL is {url:?}, not a URL")) }
        });
        match (state_machine_arn, queue_url) {
            (Ok(state_machine_arn), Ok(queue_url)) => {
                let log_filter = given("RUST_LOG").unwrap_or_else(|| "info".to_owned());
                Ok(Self { state_machine_arn, queue_url, log_filter })
            }
            (arn, url) => Err(ConfigError(arn.err().into_iter().chain(url.err()).collect())),
        }
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
            "STATE_MACHINE_ARN is not set; QUEUE_URL is not set"
        );
        let ConfigError(problems) =
            config(&[("STATE_MACHINE_ARN", "import"), ("QUEUE_URL", "imports")]).unwrap_err();
        assert!(problems[0].starts_with("STATE_MACHINE_ARN is \"import\""));
        assert!(problems[1].starts_with("QUEUE_URL is \"imports\""));
    }

    #[test]
    fn the_log_filter_has_a_default() {
        let url = "https://sqs.ap-northeast-1.amazonaws.com/123456789012/imports";
        let config = config(&[("STATE_MACHINE_ARN", ARN), ("QUEUE_URL", url), ("RUST_LOG", "")]).unwrap();
        assert_eq!((config.queue_url.as_str(), config.log_filter.as_str()), (url, "info"));
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
