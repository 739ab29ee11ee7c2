//! Which database the work is for that lies in a folder. An import that was sent while one database was named must not go on in
//! another: its rows would be in the wrong one, and the right one would never hear of it.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde::{Deserialize, Serialize};

/// The databases that a folder's stacks have imported into, one after the other.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Databases(Vec<Database>);

/// One of them.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Database {
    /// The first stack for it began then, in milliseconds since 1970.
    since_ms: i64,
    /// What [`crate::Config::database_name`] said.
    name: String,
}

impl Databases {
    /// Those of a folder; none where no stack with a database's name has begun there.
    ///
    /// # Errors
    /// The folder cannot be read, or what it holds is damaged.
    pub fn of_folder(data_dir: &Path) -> anyhow::Result<Self> {
        let file = file(data_dir);
        match std::fs::read(&file) {
            Ok(json) => {
                serde_json::from_slice(&json).with_context(|| format!("{} is damaged", file.display()))
            }
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(error).with_context(|| format!("failed to read {}", file.display())),
        }
    }

    /// The name of the one that work of this moment is for, in milliseconds since 1970. None where that is not known.
    #[must_use]
    pub fn at(&self, moment_ms: i64) -> Option<&str> {
        let before = self.0.iter().rev().find(|database| database.since_ms <= moment_ms);
        before.map(|database| database.name.as_str())
    }

    /// That of the last stack.
    pub(crate) fn last(&self) -> Option<&str> {
        self.0.last().map(|database| database.name.as_str())
    }

    /// Notes the one of a stack that begins.
    pub(crate) fn note(mut self, data_dir: &Path, since_ms: i64, name: &str) -> anyhow::Result<()> {
        self.0.push(Database { since_ms, name: name.to_owned() });
        let file = file(data_dir);
        let partial = file.with_extension("partial");
        std::fs::write(&partial, serde_json::to_vec(&self)?)
            .and_then(|()| std::fs::rename(&partial, &file))
            .with_context(|| format!("failed to write {}", file.display()))
    }
}

/// In a folder that only its owner may read.
fn file(data_dir: &Path) -> PathBuf {
    data_dir.join("stack").join("databases.json")
}

/// What is shown of a database's name: its first line.
#[must_use]
pub fn shown(name: &str) -> &str {
    name.lines().next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_is_for_the_database_of_the_last_stack_before_it() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("stack")).unwrap();
        for (since, name) in [(10, "postgres a\nas owner"), (20, "sqlite b")] {
            Databases::of_folder(dir.path()).unwrap().note(dir.path(), since, name).unwrap();
        }
        let all = Databases::of_folder(dir.path()).unwrap();
        assert_eq!(all.last(), Some("sqlite b"));
        assert_eq!([9, 10, 19, 20, 99].map(|moment| all.at(moment).map(shown)), {
            let (a, b) = (Some("postgres a"), Some("sqlite b"));
            [None, a, a, b, b]
        });
    }
}
