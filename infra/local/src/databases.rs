//! Which database the work is for that lies in a folder. An import that was sent while one database was named must not go on in
//! another: its rows would be in the wrong one, and the right one would never hear of it.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde::{Deserialize, Serialize};

/// The databases that a folder's stacks have imported into, one after the other.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Databases(Vec<Since>);

/// One of them.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Since {
    /// The first stack for it began then, in milliseconds since 1970.
    since_ms: i64,
    #[serde(flatten)]
    database: DatabaseName,
}

/// How a database is told from others.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DatabaseName {
    /// What it is called, without a password; of several lines, the first alone is shown. Empty: nobody asks which one it is.
    pub name: String,
    /// What it is known by though it was renamed or has moved; none where nobody knows that.
    #[serde(default)]
    pub identity: Option<String>,
}

impl DatabaseName {
    /// Whether both are one database.
    #[must_use]
    pub fn is(&self, other: &Self) -> bool {
        self.name == other.name || (self.identity.is_some() && self.identity == other.identity)
    }

    /// What is shown of its name: the first line.
    #[must_use]
    pub fn shown(&self) -> &str {
        self.name.lines().next().unwrap_or_default()
    }
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

    /// The one that work of this moment is for, in milliseconds since 1970. None where that is not known.
    #[must_use]
    pub fn at(&self, moment_ms: i64) -> Option<&DatabaseName> {
        let before = self.0.iter().rev().find(|since| since.since_ms <= moment_ms);
        before.map(|since| &since.database)
    }

    /// Whether one of them has another name than this.
    #[must_use]
    pub fn has_others_than(&self, name: &str) -> bool {
        self.0.iter().any(|since| since.database.name != name)
    }

    /// That of the last stack.
    pub(crate) fn last(&self) -> Option<&DatabaseName> {
        self.0.last().map(|since| &since.database)
    }

    /// Notes the one of a stack that begins.
    pub(crate) fn note(
        mut self,
        data_dir: &Path,
        since_ms: i64,
        database: &DatabaseName,
    ) -> anyhow::Result<()> {
        self.0.push(Since { since_ms, database: database.clone() });
        self.write(data_dir)
    }

    /// Notes that all of them are this one, which has moved.
    pub(crate) fn note_moved(mut self, data_dir: &Path, database: &DatabaseName) -> anyhow::Result<()> {
        self.0.truncate(1);
        for since in &mut self.0 {
            since.database = database.clone();
        }
        self.write(data_dir)
    }

    fn write(&self, data_dir: &Path) -> anyhow::Result<()> {
        let file = file(data_dir);
        let partial = file.with_extension("partial");
        std::fs::write(&partial, serde_json::to_vec(self)?)
            .and_then(|()| std::fs::rename(&partial, &file))
            .with_context(|| format!("failed to write {}", file.display()))
    }
}

/// In a folder that only its owner may read.
fn file(data_dir: &Path) -> PathBuf {
    data_dir.join("stack").join("databases.json")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(name: &str, identity: Option<&str>) -> DatabaseName {
        DatabaseName { name: name.to_owned(), identity: identity.map(str::to_owned) }
    }

    #[test]
    fn work_is_for_the_database_of_the_last_stack_before_it() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("stack")).unwrap();
        let of_folder = || Databases::of_folder(dir.path()).unwrap();
        for (since, name) in [(10, "postgres a\nas owner"), (20, "sqlite b")] {
            of_folder().note(dir.path(), since, &named(name, None)).unwrap();
        }
        let all = of_folder();
        let (a, b) = (Some("postgres a"), Some("sqlite b"));
        assert_eq!(all.last().map(DatabaseName::shown), b);
        assert_eq!(
            [9, 10, 19, 20, 99].map(|moment| all.at(moment).map(DatabaseName::shown)),
            [None, a, a, b, b]
        );
        assert!(all.has_others_than("sqlite b"));
        let moved = named("sqlite c", None);
        all.note_moved(dir.path(), &moved).unwrap();
        let all = of_folder();
        assert_eq!(
            [9, 10, 99].map(|moment| all.at(moment).cloned()),
            [None, Some(moved.clone()), Some(moved)]
        );
        assert!(!all.has_others_than("sqlite c"));
    }

    #[test]
    fn a_database_is_the_same_by_its_name_or_by_what_it_is_known_by() {
        let (a, b) = (named("a", Some("1")), named("b", Some("1")));
        assert!(a.is(&b) && a.is(&named("a", Some("2"))) && a.is(&named("a", None)));
        assert!(!a.is(&named("b", Some("2"))) && !a.is(&named("b", None)) && !named("a", None).is(&b));
    }

    #[test]
    fn what_an_earlier_version_has_noted_is_read() {
        let read: Databases = serde_json::from_str(r#"[{"since_ms":10,"name":"sqlite a"}]"#).unwrap();
        assert_eq!(read.at(11), Some(&named("sqlite a", None)));
    }
}
