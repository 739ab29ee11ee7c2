//! Rows that refer to each other in a circle: none of them can be there before the others, so that they are tried in one
//! statement. What is left of a sort is in a circle, or refers to one; what nothing of it refers to is in none.

use super::freeing;
use crate::db::Session;
use crate::db::postgres::error::SqlError;
use crate::import::load::postgres::trial::block;

/// Takes away what refers to a circle and is in none, from the other end.
const ENDS: &str = "\
CREATE INDEX ON pg_temp.\"baton references\" (child);
CREATE TEMPORARY TABLE \"baton ends\" ON COMMIT DROP AS
  SELECT s.leader, 0::pg_catalog.int8 AS place, NULL::pg_catalog.int8 AS circle, pg_catalog.count(DISTINCT r.child) AS waits,
    CASE WHEN pg_catalog.count(r.child) = 0 THEN 0 END AS step
  FROM pg_temp.\"baton steps\" s LEFT JOIN pg_temp.\"baton references\" r ON r.parent = s.leader
  WHERE s.step IS NULL GROUP BY s.leader;
CREATE INDEX ON pg_temp.\"baton ends\" (leader); CREATE INDEX ON pg_temp.\"baton ends\" (step);
ANALYZE pg_temp.\"baton ends\"";

/// PL/pgSQL: a circle is what a key comes to both by those that it refers to and by those that refer to it. It has the name of
/// its first key.
const CIRCLES: &str = "\
DECLARE first pg_catalog.int8; other pg_catalog.int8;
BEGIN
  FOR first IN SELECT e.leader FROM pg_temp.\"baton ends\" e WHERE e.step IS NULL ORDER BY e.leader LOOP
    CONTINUE WHEN EXISTS (SELECT FROM pg_temp.\"baton ends\" e WHERE e.leader = first AND e.circle IS NOT NULL);
    FOR other IN
      WITH RECURSIVE up (leader) AS (
        SELECT first UNION SELECT n.leader FROM up CROSS JOIN LATERAL (
          SELECT e.leader FROM pg_temp.\"baton references\" r JOIN pg_temp.\"baton ends\" e ON e.leader = r.parent
          WHERE r.child = up.leader AND e.step IS NULL AND e.circle IS NULL OFFSET 0) n),
      down (leader) AS (
        SELECT first UNION SELECT n.leader FROM down CROSS JOIN LATERAL (
          SELECT e.leader FROM pg_temp.\"baton references\" r JOIN pg_temp.\"baton ends\" e ON e.leader = r.child
          WHERE r.parent = down.leader AND e.step IS NULL AND e.circle IS NULL OFFSET 0) n)
      SELECT up.leader FROM up INTERSECT SELECT down.leader FROM down
    LOOP
      UPDATE pg_temp.\"baton ends\" e SET circle = first WHERE e.leader = other;
    END LOOP;
  END LOOP;
END";

/// Makes the keys of a circle one.
const JOIN: &str = "\
UPDATE pg_temp.\"baton leaders\" l SET leader = e.circle, circle = e.circle
FROM pg_temp.\"baton ends\" e JOIN (SELECT o.circle FROM pg_temp.\"baton ends\" o GROUP BY o.circle HAVING pg_catalog.count(*) > 1) c
  ON c.circle = e.circle
WHERE e.leader = l.leader;
DROP TABLE pg_temp.\"baton references\", pg_temp.\"baton steps\"";

/// Where the rows of a circle are among those that are sorted, without those whose key an earlier one has: those are tried
/// behind it.
const PLACES: &str = "\
CREATE TEMPORARY TABLE \"baton circles\" ON COMMIT DROP AS
  SELECT p.place, pg_catalog.min(p.place) OVER same AS first, pg_catalog.max(p.place) OVER same AS last
  FROM pg_temp.\"baton places\" p WHERE p.turn = 1 WINDOW same AS (PARTITION BY p.circle);
CREATE INDEX ON pg_temp.\"baton circles\" (place);
ANALYZE pg_temp.\"baton circles\"";

/// Joins the keys of each circle, where a sort has left any. Returns whether there were any; then it is to be sorted again.
pub(super) fn join(session: &mut Session) -> Result<bool, SqlError> {
    let left =
        session.query("SELECT EXISTS (SELECT FROM pg_temp.\"baton steps\" s WHERE s.step IS NULL)", &[])?;
    if !left.first().map_or(Ok(false), |row| row.try_get(0))? {
        return Ok(false);
    }
    session.batch(ENDS)?;
    session.batch(&block(&freeing("pg_temp.\"baton ends\"", "parent", "child")))?;
    session.batch(&block(CIRCLES))?;
    session.batch(JOIN)?;
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
