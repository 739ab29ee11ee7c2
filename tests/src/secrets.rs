//! Looks for what must never be in a log.

use std::path::Path;

/// How many hexadecimal digits a task token of the embedded stack has; nothing else in a log has so many in a row.
const TOKEN_DIGITS: usize = 80;

/// The files below `path`, or the file itself, that have one of the secrets or a task token in them, and which it is.
///
/// # Panics
/// They cannot be read.
#[must_use]
pub fn find(path: &Path, secrets: &[&str]) -> Vec<String> {
    if path.is_dir() {
        let files = std::fs::read_dir(path).expect("the logs can be read");
        return files.flatten().flat_map(|file| find(&file.path(), secrets)).collect();
    }
    let log = std::fs::read(path).expect("a log can be read");
    let text = String::from_utf8_lossy(&log);
    let has_token = text.contains("TASK_TOKEN")
        || text.split(|sign: char| !sign.is_ascii_hexdigit()).any(|digits| digits.len() >= TOKEN_DIGITS);
    let mut found = Vec::new();
    if has_token {
        found.push(format!("{} has a task token", path.display()));
    }
    if secrets.iter().any(|secret| text.contains(secret)) {
        found.push(format!("{} has a secret", path.display()));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_and_a_secret_are_found_wherever_they_stand() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("inner")).unwrap();
        let log = |text: String| std::fs::write(dir.path().join("inner/a.log"), text).unwrap();
        let found = || find(dir.path(), &["postgres://a:b@c/d"]).len();
        log(format!("sha256 {} of a file", "ab".repeat(32)));
        assert_eq!(found(), 0);
        log(format!("token={} for the worker", "ab".repeat(40)));
        assert_eq!(found(), 1);
        log("cannot connect to postgres://a:b@c/d".to_owned());
        assert_eq!(found(), 1);
    }
}
