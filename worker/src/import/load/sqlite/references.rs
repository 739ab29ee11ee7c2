//! The table's references to other rows, asked about one row at a time: which of them is not there. SQLite says only that
//! some reference is missing, and of a deferred one it says so at the commit.

use diesel::SqliteConnection;

use super::facts::{Facts, ForeignKey};
use super::statement::{Kind, Statement};
use crate::db::failure::database_failure;
use crate::failure::Failure;
use crate::import::form::native::Native;
use crate::import::header::Plan;
use crate::import::reject::{Misfit, Reason};
use crate::import::table::{Table, quoted};

/// A reference by columns that the file fills.
pub(super) struct Reference {
    /// Finds the row that is referred to.
    lookup: Statement,
    /// Of a reference to a row of the same table: values that differ may be equal, by their types or a collation.
    is_loose: bool,
    parent: String,
    /// Where the values stand in a row.
    pub(super) here: Vec<usize>,
    /// Of a reference to a row of the same table: where the columns that are referred to stand in a row.
    pub(super) there: Option<Vec<usize>>,
    /// The columns that refer.
    pub(super) columns: Vec<String>,
    /// The columns that are referred to.
    pub(super) parent_columns: Vec<String>,
    /// How they compare, as definitions of columns.
    pub(super) compared: Vec<String>,
    /// The column, where it is but one.
    column: Option<String>,
    /// SQLite checks it at the commit.
    is_deferred: bool,
}

/// A row that is not there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Missing {
    /// It may yet come: it would be a row of the table that is written.
    pub(super) may_come: bool,
    pub(super) column: Option<String>,
    pub(super) misfit: Misfit,
}

/// The references of a table by columns that the file fills.
pub(super) struct References {
    all: Vec<Reference>,
    /// SQLite checks some of them at the commit.
    pub(super) are_deferred: bool,
    /// Those are left to the commit: a later row may bring what they refer to, or take the place of the one that refers.
    wait: bool,
    /// There are others, by columns that the file does not fill.
    pub(super) are_partly_known: bool,
}

impl References {
    pub(super) fn of(facts: &Facts, table: &Table, plan: &Plan, wait: bool) -> Self {
        let keys = &facts.foreign_keys;
        let all: Vec<_> = keys.iter().filter_map(|key| Reference::of(key, facts, table, plan)).collect();
        let are_deferred = all.iter().any(|reference| reference.is_deferred);
        Self { are_partly_known: all.len() < keys.len(), all, are_deferred, wait }
    }

    /// Whether a reference is held to what is known of the rows, and not left to the commit.
    pub(super) fn holds_to(&self, reference: &Reference) -> bool {
        !(self.wait && reference.is_deferred)
    }

    /// Whether a row of the file may refer to another one.
    pub(super) fn are_within(&self) -> bool {
        self.all.iter().any(|reference| reference.there.is_some())
    }

    /// The references to rows of the table itself.
    pub(super) fn within(&self) -> impl Iterator<Item = &Reference> {
        self.all.iter().filter(|reference| reference.there.is_some())
    }

    /// The first row that is not there: of those that will not come, or else of those that may.
    pub(super) fn missing(
        &self,
        connection: &mut SqliteConnection,
        values: &[Native<'_>],
    ) -> Result<Option<Missing>, Failure> {
        let mut may_come = None;
        for reference in self.all.iter().filter(|reference| self.holds_to(reference)) {
            let is_wanted = may_come.is_none() || reference.there.is_none();
            if !is_wanted || reference.is_met(connection, values)? {
                continue;
            }
            let missing = reference.missing();
            if !missing.may_come {
                return Ok(Some(missing));
            }
            may_come = Some(missing);
        }
        Ok(may_come)
    }
}

impl Reference {
    fn of(key: &ForeignKey, facts: &Facts, table: &Table, plan: &Plan) -> Option<Self> {
        let positions = |names: &mut dyn Iterator<Item = &String>| -> Option<Vec<usize>> {
            let place =
                |name: &String| plan.columns.iter().position(|column| column.name.eq_ignore_ascii_case(name));
            names.map(place).collect()
        };
        let here = positions(&mut key.columns.iter().map(|(here, _)| here))?;
        let there = key.is_self.then(|| positions(&mut key.columns.iter().map(|(_, there)| there))).flatten();
        let column = match key.columns.as_slice() {
            [(here, _)] => Some(here.clone()),
            _ => None,
        };
        let parent_columns: Vec<_> = key.columns.iter().map(|(_, there)| there.clone()).collect();
        // Only rows of one table are compared with each other elsewhere than in the database.
        let compared = there.as_ref().map_or_else(Vec::new, |_| facts.compared(table, &parent_columns));
        let parent = key.parent_name.clone();
        let kind = |place: &usize| plan.columns.get(*place).map(|column| &column.kind);
        let differ = |there: &Vec<usize>| here.iter().map(kind).ne(there.iter().map(kind));
        let is_in_any_case = || compared.iter().any(|definition| !definition.ends_with("\"BINARY\""));
        // A row's own number is found by whatever is equal to it.
        let is_loose = facts.key_on_any_case_of(&parent_columns).is_some()
            && (there.as_ref().is_some_and(differ) || is_in_any_case());
        let lookup = lookup(key, is_loose);
        let is_deferred = key.is_deferred;
        (!here.is_empty()).then_some(Self {
            lookup,
            is_loose,
            parent,
            here,
            there,
            columns: key.columns.iter().map(|(here, _)| here.clone()).collect(),
            parent_columns,
            compared,
            column,
            is_deferred,
        })
    }

    /// Whether the row that it refers to is there. One with NULL in it refers to nothing, one that refers to itself comes with
    /// what it needs. It does so by the very same value: by one that is only equal to the key (`1` and `'1'`), SQLite does not find
    /// the row that it writes just now.
    pub(super) fn is_met(
        &self,
        connection: &mut SqliteConnection,
        values: &[Native<'_>],
    ) -> Result<bool, Failure> {
        let at = |places: &[usize]| -> Vec<Native<'_>> {
            places.iter().filter_map(|place| values.get(*place).copied()).collect()
        };
        let wanted = at(&self.here);
        let own = self.there.as_deref().map(at);
        if wanted.contains(&Native::Null) || own.as_ref() == Some(&wanted) {
            return Ok(true);
        }
        let own = own.filter(|_| self.is_loose);
        let wanted: Vec<_> = wanted.into_iter().chain(own.into_iter().flatten()).collect();
        self.lookup
            .finds(connection, &wanted)
            .map_err(|error| database_failure(&error, "look for the row that another one refers to"))
    }

    pub(super) fn missing(&self) -> Missing {
        let says = format!("refers to a row of {} that is not there", self.parent);
        Missing {
            may_come: self.there.is_some(),
            column: self.column.clone(),
            misfit: Misfit::new(Reason::ForeignKey, says),
        }
    }
}

/// Finds the row that is referred to, which is not the one that refers. A bound value has no affinity of its own, so that it gets
/// that of the column, as SQLite's own check gives it.
fn lookup(key: &ForeignKey, is_loose: bool) -> Statement {
    let names: Vec<_> = key.columns.iter().map(|(_, there)| quoted(there)).collect();
    if !is_loose {
        let sql = format!("SELECT 1 FROM {} WHERE ({}) = (", key.parent, names.join(", "));
        return Statement::new(Kind::Other, sql, ") LIMIT 1");
    }
    let list =
        |letter: char| -> Vec<_> { (0..names.len()).map(|place| format!("{letter}{place}")).collect() };
    let (wanted, own) = (list('w'), list('o'));
    let equal: Vec<_> =
        names.iter().zip(&wanted).map(|(name, value)| format!("p.{name} = g.{value}")).collect();
    let same: Vec<_> = names.iter().zip(&own).map(|(name, value)| format!("p.{name} IS g.{value}")).collect();
    let given = [wanted, own].concat().join(", ");
    let sql = format!("WITH g ({given}) AS (VALUES (");
    let rest = format!(
        ")) SELECT 1 FROM g CROSS JOIN {} p WHERE {} AND NOT ({}) LIMIT 1",
        key.parent,
        equal.join(" AND "),
        same.join(" AND ")
    );
    Statement::new(Kind::Other, sql, rest)
}
