//! An error of the database about one row, and the reject that comes of it. The SQLSTATE and the names that the server gives
//! decide; its message is only quoted.

use statemachine::FailureName;

use super::constraint::Constraint;
use crate::db::failure::{advice, for_log, sql_failure};
use crate::db::postgres::error::{SqlError, words};
use crate::db::postgres::sqlstate::Meaning;
use crate::failure::Failure;
use crate::import::reject::{Misfit, Reason, Reject};
use crate::import::table::{Table, shown};

/// How much of the database's words is kept, in characters: they may quote a whole value.
const WORDS_CHARACTERS: usize = 500;

/// What the database says of a row that it refuses.
#[derive(Clone, Debug, Default)]
pub(super) struct Refusal {
    pub(super) code: String,
    pub(super) message: String,
    pub(super) detail: Option<String>,
    pub(super) hint: Option<String>,
    pub(super) column: Option<String>,
    pub(super) constraint: Option<String>,
    pub(super) table: Option<String>,
    pub(super) schema: Option<String>,
}

impl Refusal {
    /// What an error says of the row that it is about; `None` where the server did not send it.
    pub(super) fn of(error: &SqlError) -> Option<Self> {
        let server = error.server()?;
        Some(Self {
            code: server.code().code().to_owned(),
            message: server.message().to_owned(),
            detail: server.detail().map(str::to_owned),
            hint: server.hint().map(str::to_owned),
            column: server.column().map(str::to_owned),
            constraint: server.constraint().map(str::to_owned),
            table: server.table().map(str::to_owned),
            schema: server.schema().map(str::to_owned),
        })
    }

    /// The reject of a record whose value for `column` the column's type does not take.
    pub(super) fn of_value(&self, record: u64, column: &str) -> Reject {
        let reason = match self.code.as_str() {
            "22001" => Reason::TooLong,
            "22003" | "22008" => Reason::OutOfRange,
            "23502" => Reason::Required,
            "23514" => Reason::Check,
            _ => Reason::Refused,
        };
        Reject::of_database(record, Some(column.to_owned()), Misfit::new(reason, self.says()))
    }

    /// The reject of a record that the table does not take. `constraint` is the one that the error names, where the table
    /// has it. A row that was changed on its way is not what the file says: then the database's words tell.
    pub(super) fn of_row(&self, record: u64, constraint: Option<&Constraint>, is_changed: bool) -> Reject {
        let reason = match self.code.as_str() {
            "23505" => Reason::Unique,
            "23503" | "23001" => Reason::ForeignKey,
            "23514" | "44000" => Reason::Check,
            "23P01" => Reason::Exclusion,
            "23502" => Reason::Required,
            _ => Reason::Refused,
        };
        let column = match constraint.map(|constraint| constraint.columns.as_slice()) {
            Some([column]) if !column.is_empty() && !constraint.is_some_and(Constraint::is_between_rows) => {
                Some(column.clone())
            }
            _ => self.column.clone(),
        };
        let says = constraint
            .filter(|_| !is_changed)
            .and_then(Constraint::says)
            .unwrap_or_else(|| self.says().into());
        Reject::of_database(record, column, Misfit::new(reason, says))
    }

    /// The reject of a record that the table below a view does not take. Its columns are called otherwise there, or lie elsewhere.
    pub(super) fn of_row_of_view(&self, record: u64) -> Reject {
        let Reject { misfit, .. } = self.of_row(record, None, true);
        Reject::of_database(record, None, misfit)
    }

    /// The reject of a record for which a trigger wrote into another table, which refused that. Nothing of it is about a column
    /// of the file.
    pub(super) fn of_other_table(&self, record: u64) -> Reject {
        let name = |part: &Option<String>| part.clone().unwrap_or_default();
        let says = format!(
            "is refused by the database, for what a trigger writes into {}.{}: {}",
            name(&self.schema),
            name(&self.table),
            self.words()
        );
        Reject::of_database(record, None, Misfit::new(Reason::Refused, says))
    }

    /// The failure where it is no row's fault. `what` is what was tried, as an infinitive.
    pub(super) fn failure(&self, what: &str) -> Failure {
        let advice = advice(Some(&self.code), None);
        let cause = format!("failed to {what}: {} (SQLSTATE {}){advice}", self.words(), self.code);
        let for_log = for_log(what, Some(&self.code));
        Failure::of_database(FailureName::DatabaseMisconfigured, cause, for_log)
    }

    fn says(&self) -> String {
        format!("is refused by the database: {}", self.words())
    }

    /// The database's own words.
    fn words(&self) -> String {
        let words = words(&self.message, self.detail.as_deref(), self.hint.as_deref());
        let end = words.char_indices().nth(WORDS_CHARACTERS);
        let (cut, more) = match end {
            Some((end, _)) => (words.get(..end).unwrap_or_default(), "…"),
            None => (words.as_str(), ""),
        };
        format!("{cut}{more}")
    }
}

/// The failure of writing rows into a table.
pub(super) fn write_failure(error: &SqlError, table: &Table) -> Failure {
    sql_failure(error, &format!("write rows into {}", shown(&table.name)))
}

/// Whether an error may lie in the rows rather than in the set-up, the connection or this program.
pub(super) fn is_row_error(error: &SqlError) -> bool {
    error.meaning() == Meaning::Row
}

/// Whether an error says nothing of a table: it may be about a value.
pub(super) fn names_no_table(error: &SqlError) -> bool {
    error.server().is_some_and(|server| server.table().is_none())
}
