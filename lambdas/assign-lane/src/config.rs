//! The environment of the function, read once and all of it: whatever is wrong is reported together, by variable.

use std::num::NonZeroU32;

/// What the function needs to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// `LANE_QUEUE_URL`: the FIFO queue of lanes.
    pub lane_queue_url: String,
    /// `MAXIMUM_IMPORTS`: how many lanes there are, and so how many imports run at once; 1 at least.
    pub maximum_imports: NonZeroU32,
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
        let lane_queue_url = required("LANE_QUEUE_URL").and_then(|url| {
            let is_url = url.starts_with("https://") || url.starts_with("http://");
            let is_fifo = is_url && url.ends_with(".fifo");
            if is_fifo {
                Ok(url)
            } else {
                Err(format!("LANE_QUEUE_URL is {url:?}, not the URL of a FIFO queue"))
            }
        });
        let maximum_imports = required("MAXIMUM_IMPORTS").and_then(|number| {
            number.parse().map_err(|_| format!("MAXIMUM_IMPORTS is {number:?}, not a number from 1 on"))
        });
        let log_filter = given("RUST_LOG").unwrap_or_else(|| "info".to_owned());
        match (lane_queue_url, maximum_imports) {
            (Ok(lane_queue_url), Ok(maximum_imports)) => {
                Ok(Self { lane_queue_url, maximum_imports, log_filter })
            }
            (url, number) => Err(ConfigError([url.err(), number.err()].into_iter().flatten().collect())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(url: &str, number: &str) -> Result<Config, String> {
        Config::from_variables(|name| match name {
            "LANE_QUEUE_URL" => Some(url.to_owned()),
            "MAXIMUM_IMPORTS" => Some(number.to_owned()),
            _ => None,
        })
        .map_err(|error| error.to_string())
    }

    #[test]
    fn everything_that_is_wrong_is_reported_at_once_by_variable() {
        assert_eq!(config("", "").unwrap_err(), "LANE_QUEUE_URL is not set; MAXIMUM_IMPORTS is not set");
        let wrong = config("https://sqs/1/imports", "0").unwrap_err();
        assert!(wrong.contains("LANE_QUEUE_URL is \"https://sqs/1/imports\", not the URL of a FIFO queue"));
        assert!(wrong.contains("MAXIMUM_IMPORTS is \"0\", not a number from 1 on"));
        let right = config("https://sqs/1/lanes.fifo", "20").unwrap();
        assert_eq!((right.maximum_imports.get(), right.log_filter.as_str()), (20, "info"));
    }
}
