//! Rows that may be in the table already, or more than once in the file. What an upsert means stands in the README: the rows
//! are applied one after the other, in the file's order. Where nothing but the key can refuse or change a row, one statement
//! with the row of each key that counts comes to the same. Else the rows are written in the file's order: in one statement
//! where no key is repeated, or by trying, in as many as it takes.

mod counts;

use statemachine::OnConflict;

use self::counts::Keys;
use super::constraint::{self, Constraint, Kind};
use super::facts::Facts;
use super::index::Index;
use super::insertion::Insertion;
use super::sift::{ALL, QUERIES, Sift};
use super::staging::{RECORD, STAGING};
use super::{Context, is_row_error};
use crate::db::Session;
use crate::db::postgres::error::SqlError;
use crate::failure::Failure;
use crate::import::header::Plan;
use crate::import::load::Loaded;
use crate::import::table::Table;

/// What the server may use to sort before it goes to its disk.
const SORT_MEMORY: &str = "64MB";

/// How an import's rows are upserted.
pub(super) struct Upsert {
    index: Index,
    on_conflict: OnConflict,
    insertion: Insertion,
    /// Nothing but the key can refuse or change a row.
    is_plain: bool,
    /// Nothing but the key and constraints can.
    is_constrained: bool,
    /// A row's version tells whether the row was there before.
    has_versions: bool,
    /// What the table has may be read.
    may_be_read: bool,
    /// No row is in the table unless a partition takes it.
    is_partitioned: bool,
    may_change_rows: bool,
    /// Whatever runs behind a statement may take rows away again, so that a key is free for a later one.
    has_triggers: bool,
    table: String,
}

/// What became of the staged rows that were not rejected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Upserted {
    pub(super) rows: u64,
    pub(super) updated: u64,
    pub(super) skipped: u64,
    pub(super) duplicates: u64,
    pub(super) dropped: u64,
}

impl From<Upserted> for Loaded {
    fn from(upserted: Upserted) -> Self {
        let Upserted { rows, updated, skipped, duplicates, dropped } = upserted;
        Self { rows, updated, skipped, duplicates, dropped, ..Self::default() }
    }
}

impl Upsert {
    /// An upsert by an index of the table.
    pub(super) fn new(
        table: &Table,
        plan: &Plan,
        index: &Index,
        indexes: &[Index],
        facts: &Facts,
        on_conflict: OnConflict,
    ) -> Self {
        let key: Vec<_> = index.columns.iter().map(|column| column.name.clone()).collect();
        let is_harmless = |other: &Index| {
            other.name == index.name
                || !(other.is_unique || other.predicate.is_some() || other.has_expressions())
                    && other.is_btree
                    && other.is_of_fixed_length
        };
        let is_constrained = facts.is_told_by_queries()
            && !(facts.has_odd_partitions || facts.has_generated_columns)
            && facts.may_be_read
            && indexes.iter().all(is_harmless);
        Self {
            index: index.clone(),
            on_conflict,
            insertion: Insertion::upsert(table, plan, &key, on_conflict, &set(plan, index)),
            is_plain: is_constrained && !facts.has_constraints,
            is_constrained,
            has_versions: facts.may_be_read && !facts.is_partitioned,
            may_be_read: facts.may_be_read,
            is_partitioned: facts.is_partitioned,
            may_change_rows: facts.may_change_rows,
            has_triggers: facts.has_triggers,
            table: facts.own_rows(table),
        }
    }

    /// The columns of the key.
    pub(super) fn key(&self) -> Vec<&str> {
        self.index.columns.iter().map(|column| column.name.as_str()).collect()
    }

    pub(super) fn on_conflict(&self) -> OnConflict {
        self.on_conflict
    }

    /// The columns that a row which is there gets from the file.
    pub(super) fn changed<'p>(&self, plan: &'p Plan) -> Vec<&'p str> {
        set(plan, &self.index)
    }

    /// The statement for one row after the other.
    pub(super) fn insertion(&self) -> &Insertion {
        &self.insertion
    }

    /// Writes the staged rows; those that the table refuses become rejects.
    pub(super) fn run(
        &self,
        session: &mut Session,
        mut sift: Sift<'_>,
        staged: u64,
    ) -> Result<Upserted, Failure> {
        // The sort is the statement's; what it needs beyond this goes to the server's disk. Few expressions are not worth
        // their compilation.
        let settings = format!("SET LOCAL work_mem = '{SORT_MEMORY}'; SET LOCAL jit = off");
        session.batch(&settings).map_err(|error| sift.failure(&error))?;
        if self.is_plain
            && let Some(upserted) = self.write_one_of_each_key(session, &sift, staged)?
        {
            return Ok(upserted);
        }
        // Which keys are written is known without the versions where no trigger changes them.
        if self.may_be_read
            && (self.has_versions || !self.may_change_rows)
            && !self.repeats_keys(session).map_err(|error| sift.failure(&error))?
            && let Some(upserted) = self.write_all(session, &mut sift, staged)?
        {
            return Ok(upserted);
        }
        if self.is_constrained
            && let Some(upserted) = self.write_unrefused(session, &mut sift, staged)?
        {
            return Ok(upserted);
        }
        self.write_in_order(session, sift, staged)
    }

    /// Takes out the rows that break a constraint, and writes the row of each key that counts of the others. `None` where
    /// queries do not tell them all.
    fn write_unrefused(
        &self,
        session: &mut Session,
        sift: &mut Sift<'_>,
        staged: u64,
    ) -> Result<Option<Upserted>, Failure> {
        let Context { table, plan, .. } = sift.context;
        let mut constraints = constraint::of_table(session, table).map_err(|error| sift.failure(&error))?;
        // What a row breaks, a later row of its key may mend.
        constraints.retain(|constraint| !(sift.constraints_wait && constraint.is_deferred));
        if self.is_partitioned {
            constraints.push(Constraint::of_partitions());
        }
        // As the database: of a row that breaks several, the reason is the first.
        constraints.sort_by_key(|constraint| matches!(constraint.kind, Kind::ForeignKey(_)));
        let is_asked =
            |constraint: &Constraint| self.held(&constraint.kind).is_some() && constraint.is_filled_by(plan);
        if !constraints.iter().all(is_asked) {
            return Ok(None);
        }
        for _ in 0..QUERIES {
            sift.look_up()?;
            let mut is_any = false;
            for constraint in &constraints {
                match sift.take(session, constraint, &self.held(&constraint.kind).unwrap_or_default())? {
                    Some(has_rows) => is_any |= has_rows,
                    None => return Ok(None),
                }
            }
            if sift.context.rejects.has_enough() {
                return Ok(Some(Upserted::default()));
            }
            // A row may have referred to one that was taken out.
            if !is_any {
                return self.write_one_of_each_key(session, sift, staged.saturating_sub(sift.sifted.refused));
            }
        }
        Ok(None)
    }

    /// Writes the row of each key that counts. `None` where rows are refused.
    fn write_one_of_each_key(
        &self,
        session: &mut Session,
        sift: &Sift<'_>,
        staged: u64,
    ) -> Result<Option<Upserted>, Failure> {
        let (key, order) =
            (self.index.key("s"), if self.on_conflict == OnConflict::Update { "DESC" } else { "ASC" });
        // NULLs are alike to DISTINCT, and mostly to no unique index.
        let apart = if self.index.nulls_are_alike {
            String::new()
        } else {
            format!(", CASE WHEN NOT ({}) THEN s.{RECORD} END", self.index.is_key("s"))
        };
        // In the order of the key, so that neighbours of the index come one after the other.
        let rows = format!(
            "(SELECT DISTINCT ON ({key}{apart}) s.* FROM {STAGING} s ORDER BY {key}{apart}, s.{RECORD} {order}) s ORDER BY {key}"
        );
        let written = session.in_savepoint(|session| {
            let (rows, updated) = self.write(session, &rows)?;
            let left = staged.saturating_sub(rows);
            let skipped = if self.on_conflict == OnConflict::Update || left == 0 {
                0
            } else {
                counts::skipped(session, &self.index, &self.table, staged, rows)?
            };
            let duplicates = left.saturating_sub(skipped);
            Ok::<_, SqlError>(Upserted { rows, updated, skipped, duplicates, dropped: 0 })
        });
        unless_refused(written, sift)
    }

    /// Writes all rows, of which no two have one key, in the file's order. `None` where rows are refused that no query
    /// tells.
    fn write_all(
        &self,
        session: &mut Session,
        sift: &mut Sift<'_>,
        staged: u64,
    ) -> Result<Option<Upserted>, Failure> {
        let in_order = format!("(SELECT * FROM {STAGING} ORDER BY {RECORD}) s");
        for _ in 0..QUERIES {
            sift.look_up()?;
            let staged = staged.saturating_sub(sift.sifted.refused);
            let written = session.in_savepoint(|session| {
                let (rows, updated) = self.write(session, &in_order)?;
                let left = staged.saturating_sub(rows);
                let skipped = match (self.on_conflict, self.may_change_rows && left > 0) {
                    (OnConflict::Update, _) => 0,
                    (_, true) => counts::known(session, &self.index, &self.table)?,
                    (_, false) => left,
                };
                let dropped = left.saturating_sub(skipped);
                Ok::<_, SqlError>(Upserted { rows, updated, skipped, duplicates: 0, dropped })
            });
            let error = match written {
                Ok(upserted) => return Ok(Some(upserted)),
                Err(error) if is_row_error(&error) => error,
                Err(error) => return Err(sift.failure(&error)),
            };
            if !sift.tells(session, &error, |kind| self.held(kind))? {
                return Ok(None);
            }
            if sift.context.rejects.has_enough() {
                return Ok(Some(Upserted::default()));
            }
        }
        Ok(None)
    }

    /// Which of the staged rows are held to a constraint that a query may be asked about, as SQL for the row `s`. One that is
    /// skipped is held to the table's checks, and to nothing else.
    fn held(&self, kind: &Kind) -> Option<String> {
        let is_same = |other| self.index.is_same_key(other, "s");
        match (kind, self.on_conflict) {
            (Kind::Unique(_) | Kind::Other, _) => None,
            (Kind::ForeignKey(key), _) if key.is_of_periods => None,
            (Kind::ForeignKey(_), OnConflict::Skip) => Some(format!(
                "NOT EXISTS (SELECT FROM {} t WHERE {}) AND NOT EXISTS (SELECT FROM {STAGING} e WHERE {} AND e.{RECORD} < s.{RECORD})",
                self.table,
                is_same("t"),
                is_same("e")
            )),
            (Kind::Check(_) | Kind::Partition | Kind::ForeignKey(_), _) => Some(ALL.to_owned()),
        }
    }

    /// Has the server write the rows in the file's order, in ranges without a repeated key.
    fn write_in_order(
        &self,
        session: &mut Session,
        mut sift: Sift<'_>,
        staged: u64,
    ) -> Result<Upserted, Failure> {
        let staged = staged.saturating_sub(sift.sifted.refused);
        let Self { index, table, has_versions, .. } = self;
        let is_update = self.on_conflict == OnConflict::Update;
        let may_change_rows = self.may_change_rows || self.has_triggers;
        let keys = Keys { index, table, may_change_rows, has_versions: *has_versions, is_update };
        sift.sort_parents_first(session, Some((index.key("s"), index.is_key("s"))))?;
        keys.look_up(session).map_err(|error| sift.failure(&error))?;
        // A row that is there is left alone without an error, however often the file has it.
        let cut = (is_update || may_change_rows).then(Keys::cut);
        let statement = |rows: &str| keys.noted(self.insertion.of(rows));
        let written = sift.try_rows(session, Vec::new(), &statement, cut.as_deref())?;
        let counted = match is_update {
            true => keys.count_updated(session, staged, written),
            false => keys.count_skipped(session, staged, written),
        };
        let counted = counted.map_err(|error| sift.failure(&error))?;
        sift.read_refused(session)?;
        Ok(counted)
    }

    /// Whether two staged rows have the same key.
    fn repeats_keys(&self, session: &mut Session) -> Result<bool, SqlError> {
        let rows = session.query(
            &format!(
                "SELECT EXISTS (SELECT FROM {STAGING} s WHERE {} GROUP BY {} HAVING count(*) > 1)",
                self.index.is_key("s"),
                self.index.key("s")
            ),
            &[],
        )?;
        Ok(rows.first().map_or(Ok(false), |row| row.try_get(0))?)
    }

    /// Runs the statement for the rows of a `FROM` clause. Returns how many it wrote, and how many of them were there.
    fn write(&self, session: &mut Session, rows: &str) -> Result<(u64, u64), SqlError> {
        let statement = self.insertion.of(rows);
        if self.on_conflict != OnConflict::Update {
            return Ok((session.execute(&statement, &[])?, 0));
        }
        if !self.has_versions {
            let updated = counts::known_keys(session, &self.index, &self.table)?;
            return Ok((session.execute(&statement, &[])?, updated));
        }
        // A row version that an UPDATE made was locked by it before: its xmax is set, that of a new row is not.
        let found = session.query(
            &format!(
                "WITH written AS ({statement} RETURNING xmax <> 0 AS updated) \
                 SELECT count(*), count(*) FILTER (WHERE updated) FROM written"
            ),
            &[],
        )?;
        let Some(row) = found.first() else { return Ok((0, 0)) };
        Ok((row.try_get::<_, i64>(0)?.unsigned_abs(), row.try_get::<_, i64>(1)?.unsigned_abs()))
    }
}

/// The columns that a row which is there gets from the file: all but the key's, and those of the key, too, where the same key
/// can be written otherwise.
fn set<'p>(plan: &'p Plan, index: &Index) -> Vec<&'p str> {
    let keeps = |name: &str| index.columns.iter().any(|column| column.is_exact && column.name == name);
    let filled = || plan.columns.iter().map(|column| column.name.as_str());
    let changed: Vec<_> = filled().filter(|name| !keeps(name)).collect();
    if changed.is_empty() { filled().collect() } else { changed }
}

/// What was written; nothing where rows are refused.
fn unless_refused<T>(written: Result<T, SqlError>, sift: &Sift<'_>) -> Result<Option<T>, Failure> {
    match written {
        Ok(written) => Ok(Some(written)),
        Err(error) if is_row_error(&error) => Ok(None),
        Err(error) => Err(sift.failure(&error)),
    }
}
