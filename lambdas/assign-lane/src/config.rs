//! The environment of the function, read once and all of it: whatever is wrong is reported together, by variable.

use std::ffi::OsString;
use std::num::NonZeroU32;

use environment::{InvalidEnvironment, Variables};
use logging::{Format, Settings};

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
        let lane_queue_url = variables.required("LANE_QUEUE_URL", |text| match lambda_shared::url(text) {
            Ok(url) if url.ends_with(".fifo") => Ok(url),
            _ => Err(format!("is {text:?}, not the URL of a FIFO queue")),
        });
        let maximum_imports = variables.required("MAXIMUM_IMPORTS", |text| {
            text.parse().map_err(|_| format!("is {text:?}, not a number from 1 on"))
        });
        let log_filter =
            variables.optional("RUST_LOG", "info".to_owned(), |text| Ok::<_, String>(text.to_owned()));
        variables.finish(|| {
            Some(Self {
                lane_queue_url: lane_queue_url?,
                maximum_imports: maximum_imports?,
                log_filter: log_filter?,
            })
        })
    }

    /// What is logged.
    #[must_use]
    pub fn log(&self) -> Settings {
        Settings { format: Format::Json, filter: self.log_filter.clone(), namespace: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(url: &str, number: &str) -> Result<Config, String> {
        Config::from_lookup(&|name| match name {
            "LANE_QUEUE_URL" => Some(url.into()),
            "MAXIMUM_IMPORTS" => Some(number.into()),
            _ => None,
        })
        .map_err(|error| error.to_string())
    }

    #[test]
    fn everything_that_is_wrong_is_reported_at_once_by_variable() {
        assert_eq!(config("", "").unwrap_err(), "LANE_QUEUE_URL is not set\nMAXIMUM_IMPORTS is not set");
        let wrong = config("https://sqs/1/imports", "0").unwrap_err();
        assert!(wrong.contains("LANE_QUEUE_URL is \"https://sqs/1/imports\", not the URL of a FIFO queue"));
        assert!(wrong.contains("MAXIMUM_IMPORTS is \"0\", not a number from 1 on"));
        let right = config("https://sqs/1/lanes.fifo", "20").unwrap();
        assert_eq!((right.maximum_imports.get(), right.log_filter.as_str()), (20, "info"));
    }
}
