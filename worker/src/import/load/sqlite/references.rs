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
    parent: String,
    /// Where the values stand in a row.
    pub(super) here: Vec<usize>,
    /// Of a reference to a row of the same table: where the columns that are referred to stand in a row.
    pub(super) there: Option<Vec<usize>>,
    /// The columns that are referred to.
    pub(super) parent_columns: Vec<String>,
    /// How they compare, as definitions of columns.
    pub(super) compared: Vec<String>,
    /// The column, where it is but one.
    column: Option<String>,
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
    /// SQLite checks them at the commit.
    pub(super) are_deferred: bool,
}

impl References {
    pub(super) fn of(facts: &Facts, table: &Table, plan: &Plan) -> Self {
        let all =
            facts.foreign_keys.iter().filter_map(|key| Reference::of(key, facts, table, plan)).collect();
        Self { all, are_deferred: facts.says("INITIALLY DEFERRED") }
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
        for reference in &self.all {
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
        // A bound value has no affinity of its own, so that it gets that of the column, as SQLite's own check gives it.
        let names: Vec<_> = key.columns.iter().map(|(_, there)| quoted(there)).collect();
        let lookup = format!("SELECT 1 FROM {} WHERE ({}) = (", key.parent, names.join(", "));
        let column = match key.columns.as_slice() {
            [(here, _)] => Some(here.clone()),
            _ => None,
        };
        let lookup = Statement::new(Kind::Other, lookup, ") LIMIT 1");
        let parent_columns: Vec<_> = key.columns.iter().map(|(_, there)| there.clone()).collect();
        // Only rows of one table are compared with each other elsewhere than in the database.
        let compared = there.as_ref().map_or_else(Vec::new, |_| facts.compared(table, &parent_columns));
        let parent = key.parent_name.clone();
        (!here.is_empty()).then_some(Self { lookup, parent, here, there, parent_columns, compared, column })
    }

    /// Whether the row that it refers to is there. One with NULL in it refers to nothing, one that refers to itself comes with
    /// what it needs.
    pub(super) fn is_met(
        &self,
        connection: &mut SqliteConnection,
        values: &[Native<'_>],
    ) -> Result<bool, Failure> {
        let at = |places: &[usize]| -> Vec<Native<'_>> {
            places.iter().filter_map(|place| values.get(*place).copied()).collect()
        };
        let wanted = at(&self.here);
        if wanted.contains(&Native::Null) || self.there.as_deref().is_some_and(|there| at(there) == wanted) {
            return Ok(true);
        }
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
