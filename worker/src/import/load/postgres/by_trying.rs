//! Refused rows found by trying, where no query can tell: a trigger refuses them, a partition is missing, an expression of an
//! index fails. The server tries ranges of staged records by itself, each behind a savepoint of its own, and writes down the
//! records that it refuses alone. Ranges grow while all goes well and shrink where rows are refused, so that the cost stays
//! that of the rows. They are tried in the file's order: what comes of it is what would come of one row after the other.

use super::parents_first::circles;
use super::refused_records::{ERROR_VARIABLES, POSITION, READ_ERROR, write_down};
use super::staging::{RECORD, STAGING};
use crate::db::Session;
use crate::db::postgres::error::SqlError;
use crate::db::postgres::sqlstate::Meaning;

/// The first range, in records.
const FIRST: u32 = 256;

/// The largest range: what is lost where its last row is refused.
const LARGEST: u32 = 4096;

/// Where the server puts the number of rows that it wrote.
const WRITTEN: &str = "baton.written";

/// Records from the first to the last.
pub(super) type Range = (i64, i64);

/// What the server tries.
pub(super) struct Trial<'a> {
    /// The statement that writes the rows of a `FROM` clause; they are called `s`.
    pub(super) insert: &'a dyn Fn(&str) -> String,
    /// Whether each row is written when the statement comes to it, so that an error of the row itself says which it is. Rows
    /// of a foreign table may be written in bundles.
    pub(super) one_by_one: bool,
    /// After so many refused records it ends.
    pub(super) most: Option<u64>,
    /// Messages that are known to come from a policy of row-level security. They have the code of a missing permission.
    pub(super) policies: &'a [String],
    /// SQL that cuts a statement short, if need be: `"baton from"` is its first record, and it lowers `"baton to"`, its last.
    pub(super) cut: Option<&'a str>,
    /// Rows refer to each other in a circle: they are tried together, and one by one only if they are refused so.
    pub(super) has_circles: bool,
}

impl Trial<'_> {
    /// Tries all records of a range. Returns how many rows were written.
    pub(super) fn run(&self, session: &mut Session, range: Range) -> Result<u64, SqlError> {
        let body = self.body(range, &session.way_back_in_block());
        session.batch(&block(&body))?;
        let written = session.query(&format!("SELECT pg_catalog.current_setting('{WRITTEN}')::int8"), &[])?;
        let written = written.first().map_or(Ok(0), |row| row.try_get::<_, i64>(0))?;
        Ok(written.unsigned_abs())
    }

    /// `known` is the last record of a range that is known to hold a row that is refused; `exact`, that it is that row. A
    /// range is as large as a part of the usual `gap` between two rows that are refused: larger ones are mostly tried in
    /// vain, smaller ones cost more statements. `way_back` undoes what triggers have set for the session; that
    /// the transaction only reads ends with the savepoint alone. The statements of one range share a savepoint: the versions of a
    /// row that thousands of savepoints have written one by one cost the server ten times as much to tell apart.
    fn body(&self, (first, last): Range, way_back: &str) -> String {
        let range = format!("{RECORD} BETWEEN \"baton from\" AND \"baton to\"");
        let in_order = format!("SELECT * FROM {STAGING} WHERE {range} ORDER BY {RECORD}");
        let plain = (self.insert)(&format!("({in_order}) s"));
        let watched = if self.one_by_one {
            // The limit keeps the order where the rows are counted.
            let rows =
                format!("({in_order} OFFSET 0) s WHERE pg_catalog.setval('{POSITION}', s.{RECORD}) > 0");
            (self.insert)(&rows)
        } else {
            plain.clone()
        };
        let is_row = self.is_row();
        let most = self.most.map_or("NULL".to_owned(), |most| most.to_string());
        let (whole, broken) = if self.has_circles { (circles::WHOLE, circles::BROKEN) } else { ("", "") };
        let (cut, write_down) = (self.cut.unwrap_or_default(), write_down("\"baton lo\"", 0));
        format!(
            "#variable_conflict use_column
DECLARE
  \"baton lo\" pg_catalog.int8 := {first}; \"baton hi\" pg_catalog.int8; \"baton last\" pg_catalog.int8 := {last};
  \"baton size\" pg_catalog.int8 := {FIRST}; \"baton known\" pg_catalog.int8; \"baton exact\" pg_catalog.bool;
  \"baton gap\" pg_catalog.int8; \"baton since\" pg_catalog.int8 := {first} - 1;
  \"baton from\" pg_catalog.int8; \"baton to\" pg_catalog.int8; \"baton sum\" pg_catalog.int8;
  \"baton at\" pg_catalog.int8; \"baton rows\" pg_catalog.int8; \"baton written\" pg_catalog.int8 := 0;
  \"baton left\" pg_catalog.int8 := {most};
  \"baton first\" pg_catalog.int8; \"baton end\" pg_catalog.int8; \"baton broken\" pg_catalog.int8 := 0;
  {ERROR_VARIABLES}
BEGIN
  WHILE \"baton lo\" <= \"baton last\" LOOP
    \"baton hi\" := CASE
      WHEN \"baton known\" IS NULL THEN least(\"baton lo\" + \"baton size\" - 1, \"baton last\")
      WHEN \"baton known\" = \"baton lo\" THEN \"baton lo\"
      WHEN \"baton exact\" THEN \"baton known\" - 1
      ELSE \"baton lo\" + (\"baton known\" - \"baton lo\" + 1) / 2 - 1 END;
    {whole}
    BEGIN
      \"baton from\" := \"baton lo\"; \"baton sum\" := 0;
      WHILE \"baton from\" <= \"baton hi\" LOOP
        \"baton to\" := \"baton hi\";
        {cut}
        IF \"baton known\" IS NULL THEN
          {watched};
        ELSE
          {plain};
        END IF;
        GET DIAGNOSTICS \"baton rows\" = ROW_COUNT;
        {way_back}
        \"baton sum\" := \"baton sum\" + \"baton rows\";
        \"baton from\" := \"baton to\" + 1;
        IF pg_catalog.current_setting('transaction_read_only')::pg_catalog.bool THEN
          \"baton hi\" := \"baton to\";
        END IF;
      END LOOP;
      \"baton written\" := \"baton written\" + \"baton sum\";
      IF \"baton known\" IS NULL AND (\"baton hi\" - \"baton since\" > 4 * \"baton gap\") IS NOT FALSE THEN
        \"baton size\" := least((\"baton hi\" - \"baton lo\" + 1) * 2, {LARGEST});
      END IF;
      \"baton lo\" := \"baton hi\" + 1;
      IF \"baton known\" < \"baton lo\" THEN
        \"baton known\" := NULL;
      END IF;
    EXCEPTION WHEN OTHERS OR assert_failure THEN
      {READ_ERROR}
      IF NOT {is_row} THEN
        RAISE;
      END IF;
      IF \"baton lo\" = \"baton hi\" THEN
        {write_down}
        \"baton gap\" := (coalesce(\"baton gap\" * 3, (\"baton lo\" - \"baton since\") * 3)
          + \"baton lo\" - \"baton since\") / 4;
        \"baton size\" := least(greatest(\"baton gap\" / CASE WHEN \"baton exact\" THEN 2 ELSE 4 END, 1), {LARGEST});
        \"baton since\" := \"baton lo\";
        \"baton lo\" := \"baton lo\" + 1;
        \"baton known\" := NULL;
        \"baton left\" := \"baton left\" - 1;
        EXIT WHEN \"baton left\" <= 0;
      ELSE
        {broken}
        SELECT last_value INTO \"baton at\" FROM {POSITION};
        IF \"baton from\" = \"baton to\" THEN
          \"baton at\" := \"baton to\"; \"baton exact\" := true;
        ELSE
          \"baton exact\" := {} AND \"baton known\" IS NULL AND \"baton at\" >= \"baton from\" AND \"baton at\" < \"baton to\";
        END IF;
        \"baton known\" := CASE WHEN \"baton exact\" THEN \"baton at\" ELSE \"baton to\" END;
      END IF;
    END;
  END LOOP;
  PERFORM pg_catalog.set_config('{WRITTEN}', \"baton written\"::pg_catalog.text, true);
END",
            self.one_by_one
        )
    }

    /// Whether the error that is handled is a row's.
    fn is_row(&self) -> String {
        let code = "\"baton code\"";
        let mut is_row = Meaning::condition(code, &[Meaning::Row]);
        if !self.policies.is_empty() {
            let messages: Vec<_> = self.policies.iter().map(|message| literal(message)).collect();
            is_row.push_str(&format!(
                " OR ({code} = '42501' AND \"baton message\" IN ({}))",
                messages.join(", ")
            ));
        }
        format!("({is_row})")
    }
}

/// A block of PL/pgSQL as a statement. What stands in it may quote names that anybody chose.
pub(super) fn block(body: &str) -> String {
    let mut quote = "$baton$".to_owned();
    let mut number = 0_u32;
    while body.contains(&quote) {
        number += 1;
        quote = format!("$baton{number}$");
    }
    format!("DO LANGUAGE plpgsql {quote}\n{body}\n{quote}")
}

/// A text as a literal of SQL.
pub(super) fn literal(text: &str) -> String {
    let quoted = text.replace('\'', "''");
    if quoted.contains('\\') {
        format!(" E'{}'", quoted.replace('\\', "\\\\"))
    } else {
        format!("'{quoted}'")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_in_a_block_cannot_end_it() {
        let statement = block("SELECT \"$baton$\", \"$baton1$\"");
        assert!(statement.starts_with("DO LANGUAGE plpgsql $baton2$\n") && statement.ends_with("\n$baton2$"));
    }

    #[test]
    fn a_literal_is_its_text_whatever_the_server_thinks_of_backslashes() {
        assert_eq!(literal("it's"), "'it''s'");
        assert_eq!(literal(r"a\b'"), r" E'a\\b'''");
    }
}
