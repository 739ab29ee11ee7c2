//! One file on the command line and how it is imported: every option of the contract, grouped as a person looks for them.
//! What contradicts itself without a look at the database is said before anything is started.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use ops::error::Usage;
use ops::submit::{File, new_id};
use statemachine::{
    Delimiter, EmptyFields, Encoding, Escape, ImportOptions, JobId, OnConflict, RecordLimit, RejectLimit,
};

/// What stands below the help of `run` and `submit`.
pub(crate) const EXAMPLES: &str = "\
Examples:
  Make the table from the file, and import it:
      baton run people.csv --table people --create-table
  Say what is wrong with a file, and write nothing:
      baton run people.csv --table people --dry-run
  Import the good rows; `baton rejects ID` shows the others:
      baton run people.csv --table people --max-rejects 1%
  Change the rows that are there already:
      baton run people.csv --table people --on-conflict update --key email --map 'E-Mail=email'
  Say how the file is written where it is not detected:
      baton run people.txt --table people --encoding cp932 --delimiter tab --date-format %Y/%m/%d";

/// One file and how to import it.
#[derive(Args)]
pub(crate) struct FileArguments {
    /// The CSV file, as it is or compressed by gzip or zstd
    pub(crate) file: PathBuf,
    /// The table to import into
    #[arg(long, short, value_name = "TABLE")]
    pub(crate) table: String,
    /// Make the table from the header and all values, where it is missing; a failed import drops it again
    #[arg(long)]
    pub(crate) create_table: bool,
    /// The import's id: 1 to 40 characters of A-Za-z0-9_-, not beginning with - [default: made from the table and the time]
    #[arg(long, value_name = "ID")]
    pub(crate) id: Option<JobId>,
    #[command(flatten)]
    writing: Writing,
    #[command(flatten)]
    columns: Columns,
    #[command(flatten)]
    bad_rows: BadRows,
    #[command(flatten)]
    loading: Loading,
}

#[derive(Args)]
#[command(next_help_heading = "How the file is written")]
struct Writing {
    /// The encoding: utf-8, cp932 (Shift_JIS), euc-jp, iso-2022-jp, utf-16le, utf-16be, gb18030, big5, euc-kr, windows-1250 to -1258,
    /// windows-874, iso-8859-2, -4, -5, -6, -7, -8 or -15, koi8-r, koi8-u, macintosh, cp437, cp850, cp852 or cp866 [default: detected]
    #[arg(long, value_name = "NAME")]
    encoding: Option<Encoding>,
    /// What stands between two fields: , ; | tab or another sign [default: detected]
    #[arg(long, value_name = "SIGN", allow_hyphen_values = true)]
    delimiter: Option<Delimiter>,
    /// What stands before a quote within a quoted field, such as \ [default: the quote is written twice]
    #[arg(long, value_name = "SIGN", allow_hyphen_values = true)]
    escape: Option<Escape>,
    /// The text that means NULL; an empty field is then an empty text [default: the empty field]
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    null: Option<String>,
    /// What an empty field is where the column's type has an empty value, such as text [default: quoted; with --null, text]
    #[arg(long, value_name = "WHAT", value_enum)]
    empty: Option<Empty>,
    /// How dates are written, in the letters of strftime: %d.%m.%Y. ISO 8601 is read as well, unless this reads another day in it
    #[arg(long, value_name = "FORMAT")]
    date_format: Option<String>,
}

#[derive(Args)]
#[command(next_help_heading = "Which columns")]
struct Columns {
    /// The file has no header: its fields are the table's columns, in the table's order
    #[arg(long)]
    no_header: bool,
    /// Which column of the table a name in the header means, where the two differ; the last = parts them; may be repeated
    #[arg(long, value_name = "NAME=COLUMN", value_parser = mapping)]
    map: Vec<(String, String)>,
    /// Leave out columns that the table does not have, or that the database fills itself; the report notes which
    #[arg(long)]
    ignore_unknown: bool,
}

#[derive(Args)]
#[command(next_help_heading = "What becomes of bad rows")]
struct BadRows {
    /// How many rows, or which part of them, may be rejected before the import fails and leaves the table as it was
    #[arg(long, value_name = "N|N%", default_value_t = RejectLimit::default(), allow_hyphen_values = true)]
    max_rejects: RejectLimit,
    /// What becomes of a row whose key is in the table already, or earlier in the file
    #[arg(long, value_name = "WHAT", value_enum, default_value_t = Conflict::Error)]
    on_conflict: Conflict,
    /// The columns by which two rows are the same, for --on-conflict [default: the table's primary key]
    #[arg(long, value_name = "COLUMN[,COLUMN]", value_delimiter = ',')]
    key: Vec<String>,
}

#[derive(Args)]
#[command(next_help_heading = "How it is loaded")]
struct Loading {
    /// Check everything and report as usual, but write nothing
    #[arg(long)]
    dry_run: bool,
    /// Read no more than so many rows
    #[arg(long, value_name = "N", value_parser = number_of_rows, allow_negative_numbers = true)]
    limit: Option<u64>,
    /// How many bytes one record may have; a larger one is a bad row
    #[arg(long, value_name = "N", default_value_t = RecordLimit::default(), allow_negative_numbers = true)]
    max_record_bytes: RecordLimit,
    /// Refuse the file if it was imported into this table before, as a whole
    #[arg(long)]
    once: bool,
    /// Drop the indexes of an empty table and build them after the load: faster, but it locks the table. PostgreSQL only
    #[arg(long)]
    rebuild_indexes: bool,
}

/// [`OnConflict`] with the sentences of `--help`.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Conflict {
    /// It is a reject
    Error,
    /// The row that is there stays; within the file, the first one counts
    Skip,
    /// The row that is there gets the new values; within the file, the last one counts
    Update,
}

/// [`EmptyFields`] with the sentences of `--help`.
#[derive(Clone, Copy, ValueEnum)]
enum Empty {
    /// The empty text in quotes, NULL without them
    Quoted,
    /// NULL, also in quotes; they do not count for the text of --null either
    Null,
    /// The empty text, with and without quotes
    Text,
}

impl FileArguments {
    /// The file and what is to be done with it.
    ///
    /// # Errors
    /// As [`Self::options`].
    pub(crate) fn wanted(&self) -> Result<File, Usage> {
        Ok(File {
            path: self.file.clone(),
            table: self.table.clone(),
            create_table: self.create_table,
            options: self.options()?,
        })
    }

    /// The import's id: the one that was asked for, or a new one.
    pub(crate) fn import_id(&self) -> anyhow::Result<JobId> {
        self.id.clone().map_or_else(|| new_id(&self.table), Ok)
    }

    /// The options, as the contract has them.
    ///
    /// # Errors
    /// [`Usage`] where two of them contradict each other, with all contradictions.
    pub(crate) fn options(&self) -> Result<ImportOptions, Usage> {
        let mut problems = Vec::from_iter(self.contradictions().into_iter().map(str::to_owned));
        let mut map = BTreeMap::new();
        for (name, column) in &self.columns.map {
            if let Some(other) = map.insert(name.clone(), column.clone()) {
                problems.push(format!("--map gives {name:?} two columns, {other:?} and {column:?}"));
            }
        }
        if !problems.is_empty() {
            return Err(Usage(problems.join("\n")));
        }
        Ok(ImportOptions {
            max_rejects: self.bad_rows.max_rejects,
            ignore_unknown: self.columns.ignore_unknown,
            encoding: self.writing.encoding,
            delimiter: self.writing.delimiter,
            escape: self.writing.escape,
            no_header: self.columns.no_header,
            map,
            null: self.writing.null.clone(),
            empty: self.writing.empty.map(EmptyFields::from),
            date_format: self.writing.date_format.clone(),
            on_conflict: self.bad_rows.on_conflict.into(),
            key: self.bad_rows.key.clone(),
            dry_run: self.loading.dry_run,
            limit: self.loading.limit,
            max_record_bytes: self.loading.max_record_bytes,
            once: self.loading.once,
            rebuild_indexes: self.loading.rebuild_indexes,
        })
    }

    fn contradictions(&self) -> Vec<&'static str> {
        let Self { writing, columns, bad_rows, loading, .. } = self;
        let is_plain = bad_rows.on_conflict == Conflict::Error;
        let delimiter = writing.delimiter.map(Delimiter::byte);
        [
            (
                !bad_rows.key.is_empty() && is_plain,
                "--key says which rows are the same, and --on-conflict skip or update what becomes of them: give both",
            ),
            (
                columns.no_header && !columns.map.is_empty(),
                "--map renames columns of a header, and with --no-header there is none: leave one of them out",
            ),
            (
                loading.rebuild_indexes && !is_plain,
                "--on-conflict skip and update find rows by an index, which --rebuild-indexes drops: leave one of them out",
            ),
            (
                loading.dry_run && self.create_table,
                "--create-table makes a table, and --dry-run makes nothing: leave one of them out",
            ),
            (
                delimiter.is_some() && delimiter == writing.escape.map(Escape::byte),
                "--delimiter and --escape are the same sign: give two",
            ),
        ]
        .into_iter()
        .filter_map(|(contradicts, sentence)| contradicts.then_some(sentence))
        .collect()
    }
}

impl From<Conflict> for OnConflict {
    fn from(conflict: Conflict) -> Self {
        match conflict {
            Conflict::Error => Self::Error,
            Conflict::Skip => Self::Skip,
            Conflict::Update => Self::Update,
        }
    }
}

impl From<Empty> for EmptyFields {
    fn from(empty: Empty) -> Self {
        match empty {
            Empty::Quoted => Self::Quoted,
            Empty::Null => Self::Null,
            Empty::Text => Self::Text,
        }
    }
}

fn number_of_rows(text: &str) -> Result<u64, String> {
    let number = text.parse().ok().filter(|number| *number > 0);
    number.ok_or_else(|| "a number of rows is a whole number from 1".to_owned())
}

/// `Full Name=full_name`. A name in a header may have a `=`; a column hardly does.
fn mapping(text: &str) -> Result<(String, String), String> {
    match text.rsplit_once('=') {
        Some((name, column)) if !name.trim().is_empty() && !column.trim().is_empty() => {
            Ok((name.to_owned(), column.trim().to_owned()))
        }
        _ => {
            Err("a mapping is the header's name, =, and the table's column: \"Full Name=full_name\""
                .to_owned())
        }
    }
}

#[cfg(test)]
mod tests;
