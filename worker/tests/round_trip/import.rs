//! One file by one way: written, imported, and each of its cells compared with what the server makes of it.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use statemachine::{Findings, ImportOptions};
use worker::failure::Failure;
use worker::import::Summary;

use crate::bench::Bench;
use crate::differences;
use crate::file::{BROKEN, Dialect, Field};
use crate::report::Kind;
use crate::ways::Way;

/// A field of the type in question. Its row has nothing else.
#[derive(Clone, Debug)]
pub(crate) struct Cell {
    /// The row.
    pub(crate) id: u64,
    pub(crate) column: usize,
    /// The type.
    pub(crate) number: usize,
    pub(crate) field: Field,
    /// Which value of the server's it is; none where the server refuses it.
    pub(crate) value: Option<u64>,
}

pub(crate) struct Import<'a> {
    /// The types of the columns.
    pub(crate) group: Vec<usize>,
    pub(crate) way: &'a Way,
    pub(crate) dialect: Dialect,
    /// The row that the table refuses, or 0.
    pub(crate) refused: u64,
}

/// What became of a row.
struct Row {
    is_there: bool,
    /// It has the value that it should have, and no other.
    is_right: bool,
    /// It has a value.
    is_filled: bool,
    shown: String,
}

/// A reject as the import tells of it.
struct Told {
    reason: String,
    fields: Vec<String>,
}

impl Import<'_> {
    pub(crate) fn check(&self, bench: &mut Bench<'_>, cells: &[Cell]) {
        // A row without a value cannot stand there where the type does not take NULL.
        let takes_null = self.group.iter().all(|number| !bench.types[*number].alone);
        let before = if takes_null { self.before(cells) } else { BTreeSet::new() };
        let sqls: Vec<_> = self.group.iter().map(|number| bench.types[*number].sql.as_str()).collect();
        bench.server.execute(&self.way.table(&sqls, self.refused));
        if !before.is_empty() {
            // A type may have a default.
            let nulls = ", NULL".repeat(self.group.len());
            let ids: Vec<_> = before.iter().map(|id| format!("({id}{nulls})")).collect();
            bench.server.execute(&format!("INSERT INTO imported_rows VALUES {}", ids.join(",")));
        }
        let (result, findings) = self.import(bench, cells);
        let summary = match result {
            Ok(summary) => summary,
            Err(failure) => return self.narrow(bench, cells, &failure),
        };
        let rejected = self.rejected(bench, &findings);
        let rows = self.rows(bench, cells);
        for cell in cells {
            self.judge(bench, cell, &rows[&cell.id], rejected.get(&cell.id), before.contains(&cell.id));
        }
        self.check_first(bench, cells, &findings);
        self.count(bench, cells, &summary, &findings, rejected.len());
    }

    /// The rows that are in the table before.
    fn before(&self, cells: &[Cell]) -> BTreeSet<u64> {
        let every = match self.way.conflict {
            Some("update") => 2,
            Some(_) => 6,
            None => return BTreeSet::new(),
        };
        cells.iter().map(|cell| cell.id).filter(|id| id % every == 0 && *id != self.refused).collect()
    }

    fn import(&self, bench: &mut Bench<'_>, cells: &[Cell]) -> (Result<Summary, Failure>, Findings) {
        let columns = self.group.len();
        let plain = |text: String| Field { text, quoted: false };
        let mut header = vec![plain("id".to_owned())];
        header.extend((0..columns).map(|column| plain(format!("c{column}"))));
        if self.way.as_text {
            header.push(plain("forces".to_owned()));
        }
        let record = |cell: &Cell| {
            let mut record = vec![self.dialect.null(); header.len()];
            record[0] = plain(cell.id.to_string());
            record[cell.column + 1] = cell.field.clone();
            record
        };
        let file = self.dialect.write(std::iter::once(header.clone()).chain(cells.iter().map(record)));
        let mut options = self.dialect.options();
        self.way.tell(&mut options);
        let options: ImportOptions = serde_json::from_value(options).unwrap();
        bench.imports += 1;
        bench.world.import_as(&bench.imports.to_string(), &file, "imported_rows", options)
    }

    /// An import that failed as a whole is made smaller, until it is known for which type, and for which field.
    fn narrow(&self, bench: &mut Bench<'_>, cells: &[Cell], failure: &Failure) {
        let types: BTreeSet<_> = cells.iter().map(|cell| cell.number).collect();
        if types.len() > 1 {
            for number in types {
                let own = cells.iter().filter(|cell| cell.number == number).cloned();
                let own: Vec<_> = own.map(|cell| Cell { column: 0, ..cell }).collect();
                Import {
                    group: vec![number],
                    way: self.way,
                    dialect: self.dialect.clone(),
                    refused: self.refused,
                }
                .check(bench, &own);
            }
        } else if cells.len() > 1 && bench.report.may_narrow() {
            let (first, second) = cells.split_at(cells.len() / 2);
            for half in [first, second] {
                Import {
                    group: self.group.clone(),
                    way: self.way,
                    dialect: self.dialect.clone(),
                    refused: self.refused,
                }
                .check(bench, half);
            }
        } else {
            let fields: Vec<_> = cells.iter().take(3).map(|cell| format!("{:?}", cell.field.text)).collect();
            let sql = bench.types[self.group[0]].sql.clone();
            bench.report.find(
                Kind::Failed,
                &sql,
                self.way.name,
                format!("{}: {failure:?}", fields.join(", ")),
            );
        }
    }

    /// What stands in the table for each cell.
    fn rows(&self, bench: &Bench<'_>, cells: &[Cell]) -> HashMap<u64, Row> {
        let lines: String = cells
            .iter()
            .map(|cell| {
                let value = cell.value.map_or("\\N".to_owned(), |value| value.to_string());
                format!("{}\t{}\t{value}\n", cell.id, cell.column)
            })
            .collect();
        bench.server.execute("TRUNCATE expected");
        bench.server.copy_in("expected", &lines);
        let all: Vec<_> = (0..self.group.len()).map(|column| format!("t.c{column}")).collect();
        let all = all.join(",");
        let mut rows = HashMap::new();
        for (column, number) in self.group.iter().enumerate() {
            let oracle = &bench.oracles[*number].table;
            let same = bench.types[*number].same(&format!("t.c{column}"), "o.v");
            let found = bench.server.rows(&format!(
                "SELECT e.id, t.id IS NOT NULL, format('%s', t.c{column}), num_nonnulls(t.c{column}) > 0,
                        {same} AND num_nonnulls({all}) = num_nonnulls(o.v)
                 FROM expected e LEFT JOIN imported_rows t ON t.id = e.id LEFT JOIN {oracle} o ON o.id = e.oracle
                 WHERE e.number = {column}"
            ));
            for row in found {
                let is = |index: usize| row[index].as_deref() == Some("t");
                let shown = if is(3) {
                    format!("{:?}", row[2].as_deref().unwrap_or_default())
                } else {
                    "NULL".to_owned()
                };
                let id = row[0].as_deref().unwrap().parse().unwrap();
                let row = Row { is_there: is(1), is_filled: is(3), is_right: is(4), shown };
                rows.insert(id, row);
            }
        }
        rows
    }

    /// The rejects by their rows, from the rejects file.
    fn rejected(&self, bench: &mut Bench<'_>, findings: &Findings) -> BTreeMap<u64, Told> {
        let Some(file) = &findings.rejects_file else { return BTreeMap::new() };
        let bytes = bench.world.object(&file.source.key).unwrap();
        let mut rejected = BTreeMap::new();
        for mut record in self.dialect.read(&bytes).into_iter().skip(1) {
            let fields = record.split_off(2);
            let row: u64 = fields[0].parse().unwrap_or(0);
            let told = Told { reason: record.swap_remove(1), fields };
            if rejected.insert(row, told).is_some() {
                bench.report.find(Kind::Doubled, "-", self.way.name, format!("row {row} is rejected twice"));
            }
        }
        rejected
    }

    fn judge(&self, bench: &mut Bench<'_>, cell: &Cell, row: &Row, told: Option<&Told>, was_there: bool) {
        let kind = bench.types[cell.number].clone();
        let quotes = if cell.field.quoted { " in quotes" } else { "" };
        let marker = if self.dialect.marker.is_some() { ", \\N is NULL" } else { "" };
        let field = format!("{:?}{quotes}{marker}", shortened(&cell.field.text));
        let (report, oracle, server) = (&mut bench.report, &bench.oracles[cell.number], bench.server);
        let mut find = |kind_of: Kind, says: String| {
            let says = format!("{field}: {says}; the server: {}", oracle.shown(server, cell.value));
            report.find(kind_of, &kind.sql, self.way.name, says);
        };
        // A row that was there and is skipped, or whose new values are refused, stays as it was.
        let stays = was_there && !row.is_filled;
        let is_skipped = stays && self.way.conflict == Some("skip");
        let (mut met, version) = (None, bench.server.major());
        match told {
            Some(told) if cell.id == self.refused => {
                if row.is_there {
                    find(Kind::Doubled, format!("rejected ({}) and stored", told.reason));
                }
            }
            None if cell.id == self.refused => {
                find(Kind::Lost, "the table refuses the row, and nobody says so".to_owned())
            }
            Some(told) => {
                if row.is_there && !stays {
                    find(Kind::Doubled, format!("rejected ({}) and stored as {}", told.reason, row.shown));
                }
                self.judge_words(cell, told, &mut find);
                if cell.value.is_some() {
                    match differences::allows(&kind, &cell.field.text, &told.reason, version) {
                        Some(name) => met = Some(name),
                        None => find(Kind::Refused, told.reason.clone()),
                    }
                }
            }
            None if cell.value.is_none() => {
                if row.is_there && !stays {
                    find(Kind::Taken, format!("stored as {}", row.shown));
                } else {
                    find(Kind::Lost, "neither stored nor rejected".to_owned());
                }
            }
            None => {
                if !row.is_there {
                    find(Kind::Lost, "neither stored nor rejected".to_owned());
                } else if !row.is_right && !is_skipped {
                    find(Kind::Changed, format!("stored as {}", row.shown));
                } else if let Some(name) = differences::demands(&kind, &cell.field.text, version) {
                    find(Kind::Agreed, format!("is on the list as {name:?}, but taken"));
                }
            }
        }
        if let Some(name) = met {
            bench.report.differs(name);
        }
    }

    /// A reject names the column and brings the row as it stood.
    fn judge_words(&self, cell: &Cell, told: &Told, find: &mut impl FnMut(Kind, String)) {
        if !told.reason.starts_with(&format!("c{}: ", cell.column)) {
            find(Kind::Misplaced, format!("the reject does not name its column: {}", told.reason));
        }
        let field = told.fields.get(cell.column + 1);
        if !cell.field.text.contains(BROKEN) && field != Some(&cell.field.text) {
            find(Kind::Misplaced, format!("the rejects file has {field:?}"));
        }
    }

    /// The first rejects say line, column and value.
    fn check_first(&self, bench: &mut Bench<'_>, cells: &[Cell], findings: &Findings) {
        let mut line = 2;
        let mut lines = HashMap::new();
        for cell in cells {
            lines.insert(cell.id, line);
            line += 1 + cell.field.text.matches('\n').count() as u64;
        }
        for reject in &findings.first_rejects {
            let Some(cell) = cells.get(usize::try_from(reject.record).unwrap_or(0).wrapping_sub(1)) else {
                bench.report.find(
                    Kind::Misplaced,
                    "-",
                    self.way.name,
                    format!("no record {}", reject.record),
                );
                continue;
            };
            if cell.id == self.refused {
                continue;
            }
            let sql = bench.types[cell.number].sql.clone();
            let text = &cell.field.text;
            let mut wrong = |says: String| bench.report.find(Kind::Misplaced, &sql, self.way.name, says);
            if reject.line != lines[&cell.id] {
                wrong(format!("{text:?}: line {} instead of {}", reject.line, lines[&cell.id]));
            }
            let value = reject.value.as_deref().unwrap_or_default();
            let value = value.strip_suffix('…').unwrap_or(value);
            let is_value = text.starts_with(value) && value.is_empty() == text.is_empty();
            if !text.contains(BROKEN) && !is_value {
                wrong(format!("{text:?}: the value of the reject is {:?}: {}", reject.value, reject.says));
            }
        }
    }

    /// Rows written, rejected and skipped are all that there are.
    fn count(
        &self,
        bench: &mut Bench<'_>,
        cells: &[Cell],
        summary: &Summary,
        findings: &Findings,
        filed: usize,
    ) {
        let skipped = findings.skipped + findings.duplicates + findings.dropped;
        let all = summary.rows + summary.rejects + skipped;
        let read = cells.len() as u64;
        if (all, findings.rows_read, summary.rejects) != (read, read, filed as u64) {
            let says = format!(
                "{read} rows: read {}, written {}, rejects {} ({filed} filed), skipped {}, duplicates {}, dropped {}",
                findings.rows_read,
                summary.rows,
                summary.rejects,
                findings.skipped,
                findings.duplicates,
                findings.dropped
            );
            bench.report.find(Kind::Miscounted, "-", self.way.name, says);
        }
    }
}

/// The beginning of a long text.
fn shortened(text: &str) -> String {
    match text.char_indices().nth(80) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
