//! Whether a type reads the values of a column in doubt. A server of version 16 or later says it of all of them in one query;
//! before, and for types whose input knows no other way of refusing a value than an error, it reads one after the other and
//! goes on behind each error.

use super::DOUBT;
use crate::db::Session;
use crate::db::postgres::error::SqlError;
use crate::db::postgres::sqlstate::Meaning;
use crate::import::load::postgres::by_trying::{block, literal};
use crate::import::load::postgres::refused_records::{
    ERROR_VARIABLES, POSITION, READ_ERROR, REFUSED, write_down,
};
use crate::import::load::postgres::staging::RECORD;
use crate::import::load::postgres::types::{ColumnType, SqlType};

/// The version that can say whether a text is valid input of a type.
const SAYS_VALID: u32 = 16;

/// The index by which values are read one after the other. It is made behind the COPY, which is quicker than beside it, and
/// only where it is needed.
const WITH_INDEX: &str =
    "CREATE INDEX IF NOT EXISTS \"baton doubts\" ON pg_temp.\"baton doubt\" (\"baton record\")";
pub(super) const WITHOUT_INDEX: &str = "DROP INDEX IF EXISTS pg_temp.\"baton doubts\"";

/// How many values are read at once: what was read before an error is read once.
const FIRST: u32 = 256;
const LARGEST: u32 = 4096;
const SMALLEST: u32 = 32;

/// What stands in the table of values in doubt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source {
    /// Text.
    Text,
    /// The bytes of a text in UTF-8, in a database that may not know all of its characters.
    Bytes,
    /// A value of the type below a domain.
    Value,
}

/// A question about each value of a column.
#[derive(Clone, Debug)]
pub(super) struct Check {
    /// The column.
    column: String,
    /// The value as text and as cstring, in SQL.
    text: String,
    cstring: String,
    type_: SqlType,
    source: Source,
    /// Every error is one of the value: reading it does nothing else that could fail.
    is_of_value_alone: bool,
}

/// The questions about a column in doubt, the `number`th.
pub(super) fn of(type_: &ColumnType, source: Source, number: usize) -> Vec<Check> {
    let column = format!("s.c{number}");
    let text = match source {
        Source::Text => column.clone(),
        Source::Bytes => format!("pg_catalog.convert_from({column}, 'UTF8')"),
        Source::Value => format!("pg_catalog.textin({})", type_.base.write(&column)),
    };
    let cstring = match source {
        Source::Value => type_.base.write(&column),
        _ => format!("pg_catalog.textout({text})"),
    };
    let check = |type_: &SqlType, is_of_value_alone| Check {
        column: column.clone(),
        text: text.clone(),
        cstring: cstring.clone(),
        type_: type_.clone(),
        source,
        is_of_value_alone,
    };
    match (type_.is_domain, source) {
        (false, _) => vec![check(&type_.own, true)],
        // A domain's own rules may call functions that fail for reasons of theirs.
        (true, Source::Text | Source::Bytes) if !type_.has_plain_errors => {
            vec![check(&type_.base, true), check(&type_.own, false)]
        }
        (true, _) => vec![check(&type_.own, false)],
    }
}

/// SQL: the type of the `number`th column of the table of values in doubt.
pub(super) fn declared(type_: &ColumnType, source: Source) -> &str {
    match source {
        Source::Text => "pg_catalog.text",
        Source::Bytes => "pg_catalog.bytea",
        Source::Value => &type_.base.name,
    }
}

impl Check {
    /// Whether an error of this code is a value's.
    pub(super) fn is_of_value(&self, code: &str) -> bool {
        match Meaning::of(code, None, None) {
            Meaning::Row => true,
            Meaning::SetUp | Meaning::Internal => self.is_of_value_alone,
            Meaning::Outage => false,
        }
    }

    /// Has the server write down the records whose value is not read, under `step`. It may stop after `most`.
    pub(super) fn run(&self, session: &mut Session, step: usize, most: Option<u64>) -> Result<(), SqlError> {
        if session.version() >= SAYS_VALID && self.source != Source::Bytes {
            let said = session.in_savepoint(|session| {
                session.execute(&self.question(step), &[])?;
                session.execute(&self.question_of_null(step), &[])
            });
            match said {
                Ok(_) => return Ok(()),
                Err(error) if error.meaning() == Meaning::Outage => return Err(error),
                // An input of an older kind.
                Err(_) => {}
            }
        }
        session.batch(WITH_INDEX)?;
        session.batch(&block(&self.trial(step, most)))
    }

    fn question(&self, step: usize) -> String {
        let Self { text, type_, .. } = self;
        let type_ = literal(&type_.name);
        // A message that is no valid text is an error here, and then read one by one.
        let kept = |text: &str| {
            format!("pg_catalog.left(pg_catalog.convert_from(pg_catalog.textsend({text}), 'UTF8'), 1000)")
        };
        format!(
            "INSERT INTO {REFUSED} (\"baton record\", step, code, message, detail, hint) \
             SELECT v.record, {step}, e.sql_error_code, {}, {}, {} FROM \
             (SELECT s.{RECORD} AS record, {text} AS text FROM {DOUBT} s \
              WHERE NOT pg_catalog.pg_input_is_valid({text}, {type_}) OFFSET 0) v \
             CROSS JOIN LATERAL pg_catalog.pg_input_error_info(v.text, {type_}) e",
            kept("replace(e.message, ': \"' || v.text || '\"', '')"),
            kept("e.detail"),
            kept("e.hint")
        )
    }

    /// A domain may refuse NULL, of which the server does not say whether it is valid.
    fn question_of_null(&self, _step: usize) -> String {
        let Self { column, type_, .. } = self;
        format!(
            "SELECT count({}) FROM {DOUBT} s WHERE {column} IS NULL",
            type_.read("NULL::pg_catalog.cstring")
        )
    }

    fn trial(&self, step: usize, most: Option<u64>) -> String {
        let Self { column, text, cstring, type_, .. } = self;
        let meanings: &[Meaning] = match self.is_of_value_alone {
            true => &[Meaning::Row, Meaning::SetUp, Meaning::Internal],
            false => &[Meaning::Row],
        };
        let is_value = Meaning::condition("\"baton code\"", meanings);
        let most = most.map_or("NULL".to_owned(), |most| most.to_string());
        // The value is told beside the message, which need not repeat it. It may be one that cannot be had as text.
        let forget_value = match self.source {
            Source::Bytes => String::new(),
            _ => format!(
                "SELECT replace(\"baton message\", ': \"' || {text} || '\"', '') INTO \"baton message\" \
                 FROM {DOUBT} s WHERE s.{RECORD} = \"baton at\" AND {column} IS NOT NULL;"
            ),
        };
        format!(
            "#variable_conflict use_column
DECLARE
  \"baton lo\" pg_catalog.int8; \"baton hi\" pg_catalog.int8; \"baton last\" pg_catalog.int8;
  \"baton size\" pg_catalog.int8 := {FIRST}; \"baton at\" pg_catalog.int8; \"baton left\" pg_catalog.int8 := {most};
  {ERROR_VARIABLES}
BEGIN
  SELECT min({RECORD}), max({RECORD}) INTO \"baton lo\", \"baton last\" FROM {DOUBT};
  WHILE \"baton lo\" <= \"baton last\" LOOP
    \"baton hi\" := least(\"baton lo\" + \"baton size\" - 1, \"baton last\");
    BEGIN
      PERFORM count({}) FROM (SELECT * FROM {DOUBT} WHERE {RECORD} BETWEEN \"baton lo\" AND \"baton hi\"
        ORDER BY {RECORD} OFFSET 0) s WHERE pg_catalog.setval('{POSITION}', s.{RECORD}) > 0;
      \"baton lo\" := \"baton hi\" + 1;
      \"baton size\" := least(\"baton size\" * 2, {LARGEST});
    EXCEPTION WHEN OTHERS OR assert_failure THEN
      {READ_ERROR}
      IF NOT {is_value} THEN
        RAISE;
      END IF;
      SELECT last_value INTO \"baton at\" FROM {POSITION};
      {forget_value}
      {}
      \"baton lo\" := \"baton at\" + 1;
      \"baton size\" := greatest(\"baton size\" / 2, {SMALLEST});
      \"baton left\" := \"baton left\" - 1;
      EXIT WHEN \"baton left\" <= 0;
    END;
  END LOOP;
END",
            type_.read(cstring),
            write_down("\"baton at\"", step)
        )
    }
}
