//! What a database is known by when its name has changed: a server that has moved, a database or a folder that was renamed, another
//! name of the host. What is copied is another one.

use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::time::UNIX_EPOCH;

use diesel::RunQueryDsl as _;
use diesel::sql_types::Text;

use super::{Connection, Database, Kind};

/// The cluster's number, which `initdb` has drawn, and that of the database in it. Source: PostgreSQL's documentation,
/// "Control Data Functions".
const OF_POSTGRES: &str = "SELECT 'postgres ' || system_identifier || ' ' || oid FROM pg_control_system(), pg_database WHERE \
                           datname = current_database()";

impl Database {
    /// The file of a SQLite database.
    #[must_use]
    pub fn file(&self) -> Option<&Path> {
        match &self.0 {
            Kind::Sqlite(target) => Some(target.path()),
            Kind::Postgres(_) => None,
        }
    }

    /// What it is known by; none where that cannot be found out. Connects, as [`Database::connect`] does.
    #[must_use]
    pub fn identity(&self) -> Option<String> {
        if let Some(file) = self.file() {
            return of_file(file);
        }
        match self.connect().ok()? {
            Connection::Postgres(mut session) => {
                diesel::dsl::sql::<Text>(OF_POSTGRES).get_result(&mut session).ok()
            }
            Connection::Sqlite(_) => None,
        }
    }
}

/// The number of a file, and when it was made: the number alone is given out again.
fn of_file(file: &Path) -> Option<String> {
    let metadata = std::fs::metadata(file).ok()?;
    let made = metadata.created().ok()?.duration_since(UNIX_EPOCH).ok()?;
    Some(format!("file {} {} {}", metadata.dev(), metadata.ino(), made.as_nanos()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_known_where_it_was_moved_to_and_a_copy_is_another_one() {
        let dir = tempfile::tempdir().unwrap();
        let identity = |name: &str| {
            Database::parse(&format!("sqlite:{}", dir.path().join(name).display())).unwrap().identity()
        };
        assert_eq!(identity("a.db"), None);
        std::fs::write(dir.path().join("a.db"), "").unwrap();
        let first = identity("a.db");
        std::fs::copy(dir.path().join("a.db"), dir.path().join("copy.db")).unwrap();
        std::fs::rename(dir.path().join("a.db"), dir.path().join("b.db")).unwrap();
        std::os::unix::fs::symlink(dir.path().join("b.db"), dir.path().join("link.db")).unwrap();
        assert!(first.is_some());
        assert_eq!((identity("b.db"), identity("link.db")), (first.clone(), first.clone()));
        assert_ne!(identity("copy.db"), first);
    }

    #[test]
    fn a_database_of_postgresql_is_known_by_any_role_under_any_name() {
        if crate::cluster::programs().is_none() {
            return;
        }
        let url = crate::cluster::create_database();
        let identity = |url: &str| Database::parse(url).unwrap().identity();
        let first = identity(&url).unwrap();
        assert_ne!(identity(&crate::cluster::create_database()), Some(first.clone()));
        let (at, name) = url.rsplit_once('/').unwrap();
        let another = format!("{at}/{}", crate::cluster::create_database().rsplit_once('/').unwrap().1);
        match Database::parse(&another).unwrap().connect().unwrap() {
            Connection::Postgres(mut session) => {
                use diesel::connection::SimpleConnection as _;
                session
                    .batch_execute(&format!(
                        "ALTER DATABASE {name} RENAME TO {name}_renamed; CREATE ROLE {name}_reader LOGIN"
                    ))
                    .unwrap();
            }
            Connection::Sqlite(_) => panic!("this is PostgreSQL"),
        }
        assert_eq!(identity(&format!("{url}_renamed")), Some(first.clone()));
        let (scheme, rest) = at.split_once("://").unwrap();
        let host = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
        assert_eq!(identity(&format!("{scheme}://{name}_reader@{host}/{name}_renamed")), Some(first));
    }
}
