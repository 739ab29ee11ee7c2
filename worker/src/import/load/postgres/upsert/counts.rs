//! How the rows of an upsert are counted, where their keys are repeated or a trigger leaves some out: from what the table had
//! before, what the server refused and how many rows it wrote.

use super::Upserted;
use crate::db::Session;
use crate::db::postgres::error::SqlError;
use crate::import::load::postgres::by_query::WRITTEN_HERE;
use crate::import::load::postgres::index::Index;
use crate::import::load::postgres::refused_records::REFUSED;
use crate::import::load::postgres::staging::{RECORD, STAGING};
use crate::import::table::quoted;

/// The table of what is known of the staged rows' keys.
const KEYS: &str = "pg_temp.\"baton keys\"";

/// The table of the rows that were written, where a trigger may change some or leave them out: each with the record whose key
/// it has, if there is one, with the first record of the statement that it was written in, with its key, and whether it was there
/// before.
const WRITTEN: &str = "pg_temp.\"baton written\"";

/// Where no trigger changes or leaves out rows: of each row that was written, whether it was there before.
const FOUND: &str = "pg_temp.\"baton found\"";

/// Of the staged rows, those that the server did not refuse.
const NOT_REFUSED: &str =
    "NOT EXISTS (SELECT FROM pg_temp.\"baton refused\" r WHERE r.\"baton record\" = k.record)";

/// What is known of the staged rows' keys: which other row has the same, and whether the table has it.
pub(super) struct Keys<'a> {
    pub(super) index: &'a Index,
    pub(super) table: &'a str,
    pub(super) may_change_rows: bool,
    pub(super) has_versions: bool,
    pub(super) is_update: bool,
}

impl Keys<'_> {
    /// Looks at the keys, before any row is written. `leader` is the first row of a key, `earlier` the one before this one.
    pub(super) fn look_up(&self, session: &mut Session) -> Result<(), SqlError> {
        let Self { index, table, .. } = self;
        let (key, is_key, is_same) = (index.key("s"), index.is_key("s"), index.is_same_key("t", "s"));
        let names = names(index, "s");
        session.batch(&format!(
            "CREATE TEMPORARY TABLE \"baton keys\" ON COMMIT DROP AS SELECT s.{RECORD} AS record, \
               CASE WHEN {is_key} THEN first_value(s.{RECORD}) OVER same ELSE s.{RECORD} END AS leader, \
               CASE WHEN {is_key} THEN lag(s.{RECORD}) OVER same END AS earlier, \
               EXISTS (SELECT FROM {table} t WHERE {is_same}) AS known \
             FROM {STAGING} s WINDOW same AS (PARTITION BY {key} ORDER BY s.{RECORD}); \
             CREATE INDEX \"baton repeated\" ON {KEYS} (record) WHERE earlier IS NOT NULL; \
             CREATE TEMPORARY TABLE \"baton written\" ON COMMIT DROP AS SELECT s.{RECORD} AS \"baton record\", \
               s.{RECORD} AS \"baton range\", true AS \"baton updated\", {names} FROM {STAGING} s WITH NO DATA; \
             CREATE TEMPORARY TABLE \"baton found\" (updated pg_catalog.bool) ON COMMIT DROP"
        ))
    }

    /// PL/pgSQL: ends a statement before the first row whose key another row of it has.
    pub(super) fn cut() -> String {
        format!(
            "SELECT coalesce((SELECT k.record - 1 FROM {KEYS} k WHERE k.earlier >= \"baton from\" AND k.record > \"baton from\" \
             AND k.record <= \"baton to\" ORDER BY k.record LIMIT 1), \"baton to\") INTO \"baton to\";"
        )
    }

    /// Whether the rows that are written tell by themselves which of them were there, also where others write beside.
    fn tells_found(&self) -> bool {
        self.is_update && self.has_versions && !self.may_change_rows
    }

    /// PL/pgSQL: the statement, and writes down which records it wrote, where that is not all of them, or which rows it found. In
    /// a statement no two rows have the same key.
    pub(super) fn noted(&self, insert: String) -> String {
        if self.tells_found() {
            return format!(
                "WITH written AS ({insert} RETURNING xmax <> 0 AS updated) INSERT INTO {FOUND} SELECT updated FROM written"
            );
        }
        if !self.may_change_rows {
            return insert;
        }
        let Self { index, table, .. } = self;
        // What is written is not seen within the statement. A row version that an UPDATE made was locked by it before.
        let (version, updated) = match self.has_versions {
            true => ("xmax <> 0", "w.\"baton updated\"".to_owned()),
            false => (
                "NULL::pg_catalog.bool",
                format!("EXISTS (SELECT FROM {table} t WHERE {})", index.is_same_key("t", "w")),
            ),
        };
        let columns: Vec<_> = index.columns.iter().map(|column| quoted(&column.name)).collect();
        let columns = columns.join(", ");
        // Sorted together, and not row by row: a statement has thousands of rows, and each would be compared with all of them.
        format!(
            "WITH written AS ({insert} RETURNING {version} AS \"baton updated\", {columns}) INSERT INTO {WRITTEN} \
             SELECT w.{RECORD}, \"baton from\", {updated}, {} FROM ( \
               SELECT CASE WHEN {} THEN pg_catalog.max(b.{RECORD}) OVER (PARTITION BY {}) END AS {RECORD}, \
                 b.\"baton updated\", b.\"baton is written\", {} \
               FROM (SELECT NULL::pg_catalog.int8 AS {RECORD}, \"baton updated\", true AS \"baton is written\", {columns} FROM written \
                 UNION ALL SELECT s.{RECORD}, NULL, false, {} FROM {STAGING} s WHERE s.{RECORD} BETWEEN \"baton from\" AND \"baton to\") b \
             ) w WHERE w.\"baton is written\"",
            names(index, "w"),
            index.is_key("b"),
            index.key("b"),
            names(index, "b"),
            names(index, "s"),
        )
    }

    /// Counts after an upsert that updates: of each key the last row that was written counts, and each one behind which a trigger has
    /// taken the key's row away.
    pub(super) fn count_updated(
        &self,
        session: &mut Session,
        staged: u64,
        written: u64,
    ) -> Result<Upserted, SqlError> {
        let [refused] = numbers(session, &format!("SELECT count(DISTINCT \"baton record\") FROM {REFUSED}"))?;
        let [rows, updated] = match self.may_change_rows {
            true => numbers(session, &self.written_keys())?,
            false => numbers(
                session,
                &format!(
                    "SELECT count(DISTINCT leader), count(DISTINCT leader) FILTER (WHERE known) FROM {KEYS} k WHERE {NOT_REFUSED}"
                ),
            )?,
        };
        // All but the first row of a key have found the one before.
        let updated = match self.tells_found() {
            true => {
                let [found] = numbers(session, &format!("SELECT count(*) FROM {FOUND} WHERE updated"))?;
                found.saturating_sub(written.saturating_sub(rows))
            }
            false => updated,
        };
        let dropped = staged.saturating_sub(refused + written);
        Ok(Upserted { rows, updated, skipped: 0, duplicates: written.saturating_sub(rows), dropped })
    }

    /// How many rows were written that did not take the place of an earlier row of the file, and how many of them were there before.
    /// A trigger may have made their keys, or taken their rows away: only what was written tells.
    fn written_keys(&self) -> String {
        let (key, is_key) = (self.index.key("w"), self.index.is_key("w"));
        format!(
            "SELECT count(*), count(*) FILTER (WHERE a.updated) FROM ( \
               SELECT w.\"baton updated\" AS updated, \
                 NOT ({is_key}) OR row_number() OVER (PARTITION BY {key} ORDER BY w.\"baton range\") = 1 AS is_first \
               FROM {WRITTEN} w) a WHERE a.is_first OR NOT a.updated"
        )
    }

    /// Counts after an upsert that skips: of each key the first row that was written counts, unless the table had it. The table may
    /// have rows that a policy hides. Where no trigger leaves rows out, what was not written and has no earlier row of its key in
    /// the file, is skipped for one of those. Others may write beside: what the table has now is asked where what it had does not
    /// explain the rows that were written.
    pub(super) fn count_skipped(
        &self,
        session: &mut Session,
        staged: u64,
        written: u64,
    ) -> Result<Upserted, SqlError> {
        let [refused] = numbers(session, &format!("SELECT count(DISTINCT \"baton record\") FROM {REFUSED}"))?;
        let left = staged.saturating_sub(refused + written);
        let (skipped, duplicates) = match self.may_change_rows {
            true => self.apart(session, left)?,
            false => {
                let duplicates = self.repeated(session, written)?.min(left);
                (left - duplicates, duplicates)
            }
        };
        Ok(Upserted { rows: written, updated: 0, skipped, duplicates, dropped: left - skipped - duplicates })
    }

    /// Of so many rows that were not written, though none of them was refused: how many the table had, and how many the file has
    /// an earlier row for. The others were left out by a trigger.
    fn apart(&self, session: &mut Session, left: u64) -> Result<(u64, u64), SqlError> {
        let counted = |had: &str| {
            format!(
                "SELECT count(*) FILTER (WHERE {had} AND k.record < coalesce(f.record, k.record + 1)), \
                   count(*) FILTER (WHERE k.record > f.record) \
                 FROM {KEYS} k LEFT JOIN (SELECT o.leader, min(o.record) AS record FROM {KEYS} o \
                   JOIN {WRITTEN} w ON w.{RECORD} = o.record GROUP BY o.leader) f ON f.leader = k.leader \
                 WHERE {NOT_REFUSED}"
            )
        };
        let [mut skipped, mut late] = numbers(session, &counted("k.known"))?;
        if skipped + late < left {
            [skipped, late] = numbers(session, &counted(&format!("(k.known OR {})", self.has_now())))?;
        }
        let skipped = skipped.min(left);
        Ok((skipped, late.min(left - skipped)))
    }

    /// How many rows have an earlier one of their key that was written, where each key that the table did not have was written
    /// once.
    fn repeated(&self, session: &mut Session, written: u64) -> Result<u64, SqlError> {
        let counted = |had: &str| {
            format!(
                "SELECT count(*) - count(DISTINCT k.leader), count(DISTINCT k.leader) FROM {KEYS} k \
                 WHERE NOT {had} AND {NOT_REFUSED}"
            )
        };
        let [repeated, keys] = numbers(session, &counted("k.known"))?;
        if keys != written {
            let [repeated, keys] = numbers(session, &counted(&self.has_now()))?;
            if keys == written {
                return Ok(repeated);
            }
        }
        Ok(repeated)
    }

    /// Whether the table has a row of the key of `k` that is none of this import's, as SQL.
    fn has_now(&self) -> String {
        let Self { index, table, .. } = self;
        let is_same = index.is_same_key("t", "s");
        format!(
            "EXISTS (SELECT FROM {STAGING} s JOIN {table} t ON {is_same} WHERE s.{RECORD} = k.record AND ({WRITTEN_HERE}) IS NOT TRUE)"
        )
    }
}

/// How many staged rows were not written for a row that the table had, after so many of so many were written and each key
/// once at the most.
pub(super) fn skipped(
    session: &mut Session,
    index: &Index,
    table: &str,
    staged: u64,
    written: u64,
) -> Result<u64, SqlError> {
    let (key, is_key) = (index.key("s"), index.is_key("s"));
    let [keys] = numbers(
        session,
        &format!(
            "SELECT (SELECT count(*) FROM (SELECT DISTINCT {key} FROM {STAGING} s WHERE {is_key}) d) \
             + (SELECT count(*) FROM {STAGING} s WHERE NOT ({is_key}))"
        ),
    )?;
    // No key is repeated, or the table had none of them.
    if keys == staged {
        return Ok(staged.saturating_sub(written));
    }
    if keys == written {
        return Ok(0);
    }
    let is_same = index.is_same_key("t", "s");
    let [known, known_keys] = numbers(
        session,
        &format!(
            "SELECT coalesce(sum(k.rows), 0)::pg_catalog.int8, count(*) FROM (SELECT count(*) AS rows FROM {STAGING} s \
             WHERE EXISTS (SELECT FROM {table} t WHERE {is_same} AND ({WRITTEN_HERE}) IS NOT TRUE) GROUP BY {key}) k"
        ),
    )?;
    // The table may have further keys that were not written, in rows that a policy hides.
    Ok((known + keys.saturating_sub(known_keys)).saturating_sub(written))
}

/// How many staged rows have a key that the table had before.
pub(super) fn known(session: &mut Session, index: &Index, table: &str) -> Result<u64, SqlError> {
    let is_same = index.is_same_key("t", "s");
    let [known] = numbers(
        session,
        &format!(
            "SELECT count(*) FROM {STAGING} s WHERE EXISTS (SELECT FROM {table} t WHERE {is_same} \
             AND ({WRITTEN_HERE}) IS NOT TRUE)"
        ),
    )?;
    Ok(known)
}

/// How many keys of staged rows the table has, before any of the rows is written.
pub(super) fn known_keys(session: &mut Session, index: &Index, table: &str) -> Result<u64, SqlError> {
    let (key, is_same) = (index.key("s"), index.is_same_key("t", "s"));
    let [known] = numbers(
        session,
        &format!(
            "SELECT count(*) FROM (SELECT DISTINCT {key} FROM {STAGING} s \
             WHERE EXISTS (SELECT FROM {table} t WHERE {is_same})) d"
        ),
    )?;
    Ok(known)
}

/// The columns of a key of a row.
fn names(index: &Index, row: &str) -> String {
    let names = index.columns.iter().map(|column| format!("{row}.{}", quoted(&column.name)));
    names.collect::<Vec<_>>().join(", ")
}

fn numbers<const N: usize>(session: &mut Session, sql: &str) -> Result<[u64; N], SqlError> {
    let mut numbers = [0; N];
    for row in session.query(sql, &[])? {
        for (place, number) in numbers.iter_mut().enumerate() {
            *number = row.try_get::<_, i64>(place)?.unsigned_abs();
        }
    }
    Ok(numbers)
}
