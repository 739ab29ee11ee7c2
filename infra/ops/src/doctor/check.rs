//! One check: what was looked at, how it is, what to do.

use serde::Serialize;

/// How it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// As it should be.
    Ok,
    /// It could not be looked at from here, and nothing is said about it.
    Skipped,
    /// It works, and will not always.
    Warn,
    /// It does not work.
    Fail,
}

/// One check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Check {
    /// What was looked at.
    pub check: &'static str,
    /// How it is.
    pub status: Status,
    /// What was found.
    pub says: String,
    /// What to do; none where all is well.
    pub advice: Option<String>,
}

impl Check {
    pub(super) fn ok(check: &'static str, says: impl Into<String>) -> Self {
        Self { check, status: Status::Ok, says: says.into(), advice: None }
    }

    pub(super) fn skipped(check: &'static str, says: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { check, status: Status::Skipped, says: says.into(), advice: Some(advice.into()) }
    }

    /// It works, and will not always.
    pub fn warn(check: &'static str, says: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { check, status: Status::Warn, says: says.into(), advice: Some(advice.into()) }
    }

    /// It does not work.
    pub fn fail(check: &'static str, says: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { check, status: Status::Fail, says: says.into(), advice: Some(advice.into()) }
    }
}

/// Whether others than the owner may read the file, and it has a password in it.
#[cfg(unix)]
pub(super) fn others_can_read_a_secret_in(file: &std::path::Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    let is_open = std::fs::metadata(file).is_ok_and(|metadata| metadata.permissions().mode() & 0o077 != 0);
    let has_password = |text: String| {
        let mut urls = text.lines().filter(|line| line.trim_start().starts_with("database_url "));
        urls.any(|line| line.contains('@') && line.matches(':').count() > 1)
    };
    is_open && std::fs::read_to_string(file).is_ok_and(has_password)
}
