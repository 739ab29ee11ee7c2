//! What the server itself writes down while it tries rows: the records that it refuses, each with the error. Read in pages,
//! so that a file of nothing but refused rows takes no more memory than another.

use tokio_postgres::Row;

use super::refusal::Refusal;
use super::staging::RECORD;
use crate::db::Session;
use crate::db::postgres::error::SqlError;

/// The table.
pub(super) const REFUSED: &str = "pg_temp.\"baton refused\"";

/// A sequence that says which record was the last that a statement came to: what a sequence counts is not undone with the
/// statement. It moves within the statement that writes rows, whose triggers may have taken another role by then.
pub(super) const POSITION: &str = "pg_temp.\"baton position\"";

/// How much of a message is kept, in characters: it may quote a whole value.
const TEXT_CHARACTERS: u32 = 1000;

/// How many are read at a time.
const PAGE: usize = 2000;

const DEFINITION: &str = "\
CREATE TEMPORARY TABLE \"baton refused\" (\"baton record\" pg_catalog.int8 NOT NULL, step pg_catalog.int4 NOT NULL,
  code pg_catalog.text, message pg_catalog.text, detail pg_catalog.text, hint pg_catalog.text, column_name pg_catalog.text,
  constraint_name pg_catalog.text, table_name pg_catalog.text, schema_name pg_catalog.text)
ON COMMIT DROP;
CREATE TEMPORARY SEQUENCE \"baton position\" OWNED BY pg_temp.\"baton refused\".\"baton record\";
GRANT UPDATE ON SEQUENCE pg_temp.\"baton position\" TO PUBLIC";

/// A record that was refused.
pub(super) struct Entry {
    pub(super) record: u64,
    /// Which of several questions it failed.
    pub(super) step: i32,
    pub(super) refusal: Refusal,
}

/// The table of refused records.
#[derive(Default)]
pub(super) struct RefusedRecords {
    is_made: bool,
}

impl RefusedRecords {
    /// Makes it where there is none yet.
    pub(super) fn make(&mut self, session: &mut Session) -> Result<(), SqlError> {
        if !self.is_made {
            session.batch(DEFINITION)?;
            self.is_made = true;
        }
        Ok(())
    }

    /// Begins to read them, in the file's order, each record once: of its errors that of the lowest step.
    pub(super) fn open(&self, session: &mut Session) -> Result<(), SqlError> {
        session.batch(&format!(
            "DECLARE \"baton refused\" NO SCROLL CURSOR FOR SELECT DISTINCT ON ({RECORD}) {RECORD}, step, code, message, \
             detail, hint, column_name, constraint_name, table_name, schema_name FROM {REFUSED} ORDER BY {RECORD}, step"
        ))
    }

    /// The next of them; none when all were read.
    pub(super) fn next_page(&self, session: &mut Session) -> Result<Vec<Entry>, SqlError> {
        let page = session.query(&format!("FETCH FORWARD {PAGE} FROM \"baton refused\""), &[])?;
        Ok(page.iter().map(read).collect::<Result<_, _>>()?)
    }

    /// Ends reading, and empties the table.
    pub(super) fn close(&self, session: &mut Session) -> Result<(), SqlError> {
        session.batch(&format!("CLOSE \"baton refused\"; TRUNCATE {REFUSED}"))
    }
}

fn read(row: &Row) -> Result<Entry, tokio_postgres::Error> {
    let text = |place| row.try_get::<_, Option<String>>(place);
    let refusal = Refusal {
        code: text(2)?.unwrap_or_default(),
        message: text(3)?.unwrap_or_default(),
        detail: text(4)?,
        hint: text(5)?,
        column: text(6)?,
        constraint: text(7)?,
        table: text(8)?,
        schema: text(9)?,
    };
    Ok(Entry { record: row.try_get::<_, i64>(0)?.unsigned_abs(), step: row.try_get(1)?, refusal })
}

/// PL/pgSQL: the variables for an error, to be declared by whoever handles one.
pub(super) const ERROR_VARIABLES: &str = "\
\"baton code\" pg_catalog.text; \"baton message\" pg_catalog.text; \"baton detail\" pg_catalog.text;
\"baton hint\" pg_catalog.text; \"baton column\" pg_catalog.text; \"baton constraint\" pg_catalog.text;
\"baton table\" pg_catalog.text; \"baton schema\" pg_catalog.text;";

/// PL/pgSQL: reads the error that is being handled into the variables. A type's input may cut its message within a character
/// (cube does): what is no text is not kept.
pub(super) const READ_ERROR: &str = "\
GET STACKED DIAGNOSTICS \"baton code\" = RETURNED_SQLSTATE, \"baton message\" = MESSAGE_TEXT,
  \"baton detail\" = PG_EXCEPTION_DETAIL, \"baton hint\" = PG_EXCEPTION_HINT, \"baton column\" = COLUMN_NAME,
  \"baton constraint\" = CONSTRAINT_NAME, \"baton table\" = TABLE_NAME, \"baton schema\" = SCHEMA_NAME;
IF pg_catalog.octet_length(pg_catalog.encode(pg_catalog.textsend(pg_catalog.concat(\"baton message\", \"baton detail\",
     \"baton hint\")), 'escape'))
   > pg_catalog.octet_length(pg_catalog.concat(\"baton message\", \"baton detail\", \"baton hint\")) THEN
  BEGIN
    \"baton message\" := pg_catalog.convert_from(pg_catalog.textsend(\"baton message\"), 'UTF8');
    \"baton detail\" := pg_catalog.convert_from(pg_catalog.textsend(\"baton detail\"), 'UTF8');
    \"baton hint\" := pg_catalog.convert_from(pg_catalog.textsend(\"baton hint\"), 'UTF8');
  EXCEPTION WHEN OTHERS THEN
    \"baton message\" := 'the reason is no valid text';
    \"baton detail\" := NULL; \"baton hint\" := NULL;
  END;
END IF;";

/// PL/pgSQL: writes down that the error in the variables is that of a record.
pub(super) fn write_down(record: &str, step: usize) -> String {
    let text =
        |variable: &str| format!("nullif(pg_catalog.left(\"baton {variable}\", {TEXT_CHARACTERS}), '')");
    format!(
        "INSERT INTO {REFUSED} VALUES ({record}, {step}, {});",
        ["code", "message", "detail", "hint", "column", "constraint", "table", "schema"].map(text).join(", ")
    )
}
