//! Whether the constraints that wait for the commit hold by now. No statement of SQLite's tells. But when a table goes that has
//! such a constraint, SQLite deletes its rows first where any constraint does not hold, and else does not look at them.

use diesel::connection::SimpleConnection as _;
use diesel::sql_types::BigInt;
use diesel::{QueryResult, RunQueryDsl as _, SqliteConnection};

const PROBE: &str = "CREATE TEMPORARY TABLE IF NOT EXISTS \"baton referred\" (a PRIMARY KEY); \
    CREATE TEMPORARY TABLE \"baton waits\" (a REFERENCES \"baton referred\" DEFERRABLE INITIALLY DEFERRED); \
    INSERT INTO temp.\"baton waits\" VALUES (NULL); \
    DROP TABLE temp.\"baton waits\"";

/// Whether a commit would find that all of them hold.
pub(super) fn hold(connection: &mut SqliteConnection) -> QueryResult<bool> {
    connection.batch_execute(PROBE)?;
    let deleted: i64 = diesel::dsl::sql::<BigInt>("SELECT changes()").get_result(connection)?;
    connection.batch_execute("DROP TABLE temp.\"baton referred\"")?;
    Ok(deleted == 0)
}

#[cfg(test)]
mod tests {
    use diesel::Connection as _;

    use super::*;

    /// An update of SQLite could do otherwise.
    #[test]
    fn what_holds_is_what_the_commit_takes() {
        let mut connection = SqliteConnection::establish(":memory:").unwrap();
        let ddl = "PRAGMA foreign_keys = ON; CREATE TABLE p (a INTEGER PRIMARY KEY); \
             CREATE TABLE now (a REFERENCES p); CREATE TABLE later (a REFERENCES p DEFERRABLE INITIALLY DEFERRED)";
        connection.batch_execute(ddl).unwrap();
        for (number, (set_up, table)) in
            [("SELECT 1", "later"), ("PRAGMA defer_foreign_keys = ON", "now")].into_iter().enumerate()
        {
            let row = format!("INSERT INTO {table} VALUES ({number})");
            for (statement, expected) in [
                (format!("BEGIN; {set_up}; INSERT INTO p VALUES (7)"), true),
                (format!("SAVEPOINT one; {row}"), false),
                ("SAVEPOINT two; RELEASE one".to_owned(), false),
                (format!("INSERT INTO p VALUES ({number})"), true),
                (format!("SAVEPOINT one; DELETE FROM p WHERE a = {number}"), false),
                ("ROLLBACK TO one; DELETE FROM p WHERE a = 7".to_owned(), true),
            ] {
                connection.batch_execute(&statement).unwrap();
                assert_eq!(hold(&mut connection), Ok(expected), "{statement}");
                assert_eq!(hold(&mut connection), Ok(expected), "{statement}");
            }
            connection.batch_execute("COMMIT").unwrap();
        }
        connection.batch_execute("BEGIN; INSERT INTO later VALUES (9)").unwrap();
        assert_eq!(hold(&mut connection), Ok(false));
        assert!(connection.batch_execute("COMMIT").is_err());
    }
}
