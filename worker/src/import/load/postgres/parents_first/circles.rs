//! Rows that refer to each other in a circle: none of them can be there before the others, so that they are tried in one
//! statement. What a sort leaves is in a circle, or behind one. Which is which takes two walks over it, in Kosaraju's way: the
//! first goes from each key to those that it refers to, and notes where it turns back; the second goes the other way, from where
//! the first turned back last.

use crate::db::Session;
use crate::db::postgres::error::SqlError;
use crate::import::load::postgres::by_trying::block;
use crate::import::table::Table;

/// The keys that a sort has left.
const REST: &str = "\
CREATE INDEX ON pg_temp.\"baton references\" (child);
CREATE TEMPORARY TABLE \"baton rest\" WITH (fillfactor = 30) ON COMMIT DROP AS
  SELECT s.leader, NULL::pg_catalog.int8 AS turned, NULL::pg_catalog.int8 AS circle
  FROM pg_temp.\"baton steps\" s WHERE s.step IS NULL;
CREATE INDEX ON pg_temp.\"baton rest\" (leader);
ANALYZE pg_temp.\"baton rest\"";

/// PL/pgSQL: the first walk. A key that it is beyond has no number yet, and one that it has never come to is NULL.
const WALK: &str = "\
DECLARE start pg_catalog.int8; way pg_catalog.int8[]; depth pg_catalog.int4; other pg_catalog.int8; number pg_catalog.int8 := 0;
BEGIN
  FOR start IN SELECT e.leader FROM pg_temp.\"baton rest\" e ORDER BY e.leader LOOP
    UPDATE pg_temp.\"baton rest\" e SET turned = 0 WHERE e.leader = start AND e.turned IS NULL;
    CONTINUE WHEN NOT FOUND;
    depth := 1;
    way[1] := start;
    WHILE depth > 0 LOOP
      SELECT e.leader INTO other FROM pg_temp.\"baton references\" r JOIN pg_temp.\"baton rest\" e ON e.leader = r.parent
      WHERE r.child = way[depth] AND e.turned IS NULL LIMIT 1;
      IF FOUND THEN
        UPDATE pg_temp.\"baton rest\" e SET turned = 0 WHERE e.leader = other;
        depth := depth + 1;
        way[depth] := other;
      ELSE
        number := number + 1;
        UPDATE pg_temp.\"baton rest\" e SET turned = number WHERE e.leader = way[depth];
        depth := depth - 1;
      END IF;
    END LOOP;
  END LOOP;
END";

/// PL/pgSQL: the second walk. What it comes to from one key, and has not come to before, is the circle of that key.
const CIRCLES: &str = "\
DECLARE first pg_catalog.int8; other pg_catalog.int8;
BEGIN
  FOR first IN SELECT e.leader FROM pg_temp.\"baton rest\" e ORDER BY e.turned DESC LOOP
    CONTINUE WHEN EXISTS (SELECT FROM pg_temp.\"baton rest\" e WHERE e.leader = first AND e.circle IS NOT NULL);
    FOR other IN
      WITH RECURSIVE circle (leader) AS (
        SELECT first UNION SELECT n.leader FROM circle CROSS JOIN LATERAL (
          SELECT e.leader FROM pg_temp.\"baton references\" r JOIN pg_temp.\"baton rest\" e ON e.leader = r.child
          WHERE r.parent = circle.leader AND e.circle IS NULL OFFSET 0) n)
      SELECT circle.leader FROM circle
    LOOP
      UPDATE pg_temp.\"baton rest\" e SET circle = first WHERE e.leader = other;
    END LOOP;
  END LOOP;
END";

/// Makes the keys of a circle one. Where rows exclude each other by more than a key, those of a key that comes again stay where
/// they are: behind others, a row would lose its place to one that stands behind it in the file.
fn joining(table: &Table) -> String {
    let oid = table.oid;
    format!(
        "UPDATE pg_temp.\"baton leaders\" l SET leader = e.circle, circle = e.circle
         FROM pg_temp.\"baton rest\" e JOIN (
           SELECT o.circle FROM pg_temp.\"baton rest\" o JOIN pg_temp.\"baton leaders\" k ON k.leader = o.leader
           GROUP BY o.circle HAVING pg_catalog.count(DISTINCT o.leader) > 1 AND (pg_catalog.max(k.turn) = 1 OR NOT EXISTS (
             SELECT FROM pg_catalog.pg_index i WHERE (i.indisunique OR i.indisexclusion)
               AND (i.indrelid = {oid} OR i.indrelid IN (SELECT p.relid FROM pg_catalog.pg_partition_tree({oid}) p))
             GROUP BY i.indrelid HAVING pg_catalog.count(*) > 1))) c ON c.circle = e.circle
         WHERE e.leader = l.leader;
         DROP TABLE pg_temp.\"baton references\", pg_temp.\"baton steps\""
    )
}

/// Where the rows of a circle are among those that are sorted, without those whose key an earlier one has: those are tried
/// behind it.
const PLACES: &str = "\
CREATE TEMPORARY TABLE \"baton circles\" ON COMMIT DROP AS
  SELECT p.place, pg_catalog.min(p.place) OVER same AS first, pg_catalog.max(p.place) OVER same AS last
  FROM pg_temp.\"baton places\" p WHERE p.turn = 1 WINDOW same AS (PARTITION BY p.circle);
CREATE INDEX ON pg_temp.\"baton circles\" (place);
ANALYZE pg_temp.\"baton circles\"";

/// Joins the keys of each circle, where a sort has left any. Returns whether there were any; then it is to be sorted again.
pub(super) fn join(session: &mut Session, table: &Table) -> Result<bool, SqlError> {
    let left =
        session.query("SELECT EXISTS (SELECT FROM pg_temp.\"baton steps\" s WHERE s.step IS NULL)", &[])?;
    if !left.first().map_or(Ok(false), |row| row.try_get(0))? {
        return Ok(false);
    }
    session.batch(REST)?;
    session.batch(&block(WALK))?;
    session.batch(&block(CIRCLES))?;
    session.batch(&joining(table))?;
    Ok(true)
}

/// Writes down where the circles are among the sorted rows.
pub(super) fn place(session: &mut Session) -> Result<(), SqlError> {
    session.batch(PLACES)
}

/// PL/pgSQL: has a range that is to be tried hold a circle whole, or not at all, unless it is known that the database does not
/// take it as a whole.
pub(in super::super) const WHOLE: &str = "\
SELECT c.first, c.last INTO \"baton first\", \"baton end\" FROM pg_temp.\"baton circles\" c
WHERE c.place = \"baton hi\" AND c.last > \"baton hi\" AND c.last > \"baton broken\";
IF FOUND AND \"baton first\" > \"baton lo\" THEN
  \"baton hi\" := \"baton first\" - 1;
ELSIF FOUND THEN
  \"baton hi\" := \"baton end\"; \"baton known\" := NULL;
END IF;";

/// PL/pgSQL: a circle that was refused as a whole has its rows tried one by one.
pub(in super::super) const BROKEN: &str = "\
IF EXISTS (SELECT FROM pg_temp.\"baton circles\" c WHERE c.place = \"baton lo\" AND c.first = \"baton lo\" AND c.last = \"baton hi\") THEN
  \"baton broken\" := \"baton hi\";
END IF;";
