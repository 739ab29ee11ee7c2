//! The rows that were rejected: line, column, value, reason, and the row as it stands in the rejects file, with the cell at
//! fault marked in it.

mod page;

use maud::{Markup, html};
use ops::numbers::count;
use ops::rejects::file::{Format, Object};
use ops::rejects::gone;
use ops::show::picture::ImportPicture;
use ops::text::cut;
use ops::{advice, findings, same_options};
use statemachine::{Findings, ImportOptions, RejectedRow};

use super::address::Address;
use super::page_data::PageData;
use crate::layout::{self, Column};
use crate::state::Console;
use page::{Kept, Page};

/// Rejects on a page.
const SHOWN: usize = 100;
/// The columns of text that a cell and a value take, and the most cells of a row.
const CELL_COLUMNS: usize = 32;
const VALUE_COLUMNS: usize = 60;
const CELLS: usize = 24;

pub(super) async fn section(console: &Console, address: &Address, data: &PageData) -> anyhow::Result<Markup> {
    let Some(import) = data.import.as_ref().filter(|import| findings::rejects_of(import) > 0) else {
        return Ok(html! {});
    };
    let all = findings::rejects_of(import);
    let found = import.findings.clone().unwrap_or_default();
    let first: usize = address.get("rejects").and_then(|first| first.parse().ok()).unwrap_or(0);
    let object = match &found.rejects_file {
        Some(file) => Object::open(&console.target, &file.source).await?,
        None => None,
    };
    let is_there = object.is_some();
    let (rows, listed) = match (object, &found.rejects_file) {
        (Some(object), Some(file)) => {
            let read = object.read(Format::new(&found, &data.options), Page::new(first, SHOWN)).await?;
            (read.rows(&found), file.rows)
        }
        _ => (of_findings(&found, first), found.first_rejects.len() as u64),
    };
    Ok(html! {
        section.panel #rejects {
            div.panel-head {
                h2 { "Rejects" }
                @if is_there {
                    span.downloads {
                        a href=(address.below("rejects.csv")) download { "For a spreadsheet" }
                        " " a href=(address.below("rejects.original")) download { "Original bytes" }
                    }
                }
            }
            p { (layout::text(&findings::rejects(import))) }
            @if let Some(advice) = advice::for_rejects(&found) { p.quiet { (advice) } }
            (how_kept(import, &found, is_there))
            @if is_there && import.status == "SUCCESS" && !found.dry_run { (how_again(&data.options, &found)) }
            @if rows.is_empty() { (layout::empty("No more rejects", "The page before has the last of them.")) } @else { (table(&rows)) }
            (pages(address, first, rows.len(), listed, all))
        }
    })
}

/// What a person must know of the file.
fn how_kept(import: &ImportPicture, found: &Findings, is_there: bool) -> Markup {
    html! {
        @match &found.rejects_file {
            Some(file) if !is_there => p.notice.warn { (layout::text(&gone(import, &file.source))) },
            Some(file) => p.quiet { "Kept in " code { (layout::text(&file.source.to_string())) } },
            None => {},
        }
    }
}

/// What the file of the rejects can be imported with.
fn how_again(options: &ImportOptions, found: &Findings) -> Markup {
    let words = same_options::of_rejects(options, found);
    html! {
        p.quiet {
            @if words.is_empty() {
                "Correct the original bytes and import them: the file needs no options."
            } @else {
                "Correct the original bytes and import them with the options of this import: " code { (layout::text(&words)) }
            }
        }
        @for sentence in same_options::beforehand(options, found) { p.quiet { (layout::text(&sentence)) } }
    }
}

/// The first ones stand in the import's row, without the rows themselves.
fn of_findings(found: &Findings, first: usize) -> Vec<Kept> {
    found
        .first_rejects
        .iter()
        .skip(first)
        .take(SHOWN)
        .map(|reject| Kept { cells: Vec::new(), ..Kept::of(reject) })
        .collect()
}

fn table(rows: &[Kept]) -> Markup {
    let columns = [
        Column::number("Line"),
        Column::new("Column"),
        Column::new("Value"),
        Column::wide("Reason"),
        Column::wide("Row"),
    ];
    let rows = rows.iter().map(|row| {
        [
            html! { (layout::text(&row.line)) },
            html! { @if let Some(column) = &row.column { (layout::text(column)) } },
            html! { @if let Some(value) = &row.value { (value_of(value)) } },
            html! { (layout::text(&row.reason)) },
            cells(row),
        ]
    });
    layout::table("Rows that were rejected", &columns, rows)
}

/// In quotes, so that white space at the ends is seen.
fn value_of(value: &str) -> Markup {
    html! { q.value title=(shown(value)) { (cut(&shown(value), VALUE_COLUMNS)) } }
}

/// The cells, with the one at fault marked; of very many, those around it.
fn cells(row: &Kept) -> Markup {
    let first = row
        .at_fault
        .map_or(0, |fault| fault.saturating_sub(CELLS / 2))
        .min(row.cells.len().saturating_sub(CELLS));
    let last = row.cells.len().min(first + CELLS);
    html! {
        @if !row.cells.is_empty() {
            span.cells {
                @if first > 0 { span.quiet { "… " (first) " before " } }
                @for (place, (name, cell)) in row.cells.iter().enumerate().take(last).skip(first) {
                    @let title = name.as_deref().map(layout::text);
                    @if row.at_fault == Some(place) {
                        mark.cell title=[title] { (cut(&shown(cell), CELL_COLUMNS)) span.hidden { " (at fault)" } }
                    } @else {
                        span.cell title=[title] { (cut(&shown(cell), CELL_COLUMNS)) }
                    }
                }
                @if last < row.cells.len() { span.quiet { " … " (row.cells.len() - last) " more" } }
            }
        }
    }
}

/// A value on one line, with all of it seen.
fn shown(value: &str) -> String {
    ops::text::visible(value)
}

fn pages(address: &Address, first: usize, shown: usize, listed: u64, all: u64) -> Markup {
    let next = first + shown;
    let at = |first: usize| address.link(&[("rejects", Some(first.to_string().as_str()))], "rejects");
    html! {
        div.pages {
            @if shown > 0 { span.quiet { (count(first as u64 + 1)) " to " (count(next as u64)) " of " (count(all)) } }
            @if first > 0 { a href=(at(first.saturating_sub(SHOWN))) rel="prev" { "Before" } }
            @if (next as u64) < listed && shown > 0 { a href=(at(next)) rel="next" { "Next" } }
            @else if listed < all { span.quiet { "The others were not kept." } }
        }
    }
}

impl Kept {
    fn of(reject: &RejectedRow) -> Self {
        Self {
            line: reject.line.to_string(),
            column: reject.column.clone(),
            value: reject.value.clone(),
            reason: format!("{} ({})", reject.says, reject.reason),
            cells: Vec::new(),
            at_fault: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_with_markup_or_marks_of_direction_is_text_and_the_one_at_fault_is_marked() {
        let row = Kept {
            line: "3".to_owned(),
            column: Some("<b>".to_owned()),
            value: Some("<script>alert(1)</script>".to_owned()),
            reason: "is no whole number".to_owned(),
            cells: vec![
                (Some("\"><img>".to_owned()), "<script>alert(1)</script>".to_owned()),
                (None, "1\u{202e}02".to_owned()),
            ],
            at_fault: Some(0),
        };
        let shown = table(&[row]).into_string();
        for markup in ["<script", "<img", "<b>", "\u{202e}"] {
            assert!(!shown.contains(markup), "{markup} in {shown}");
        }
        assert_eq!(shown.matches("<mark class=\"cell\" title=").count(), 1, "{shown}");
        assert!(
            shown.contains("&lt;script&gt;alert(1)&lt;/script&gt;") && shown.contains("1\\u{202e}02"),
            "{shown}"
        );
    }

    #[test]
    fn of_a_very_wide_row_the_cells_around_the_one_at_fault_are_shown() {
        let cells = (0..100).map(|place| (None, format!("c{place}"))).collect();
        let row = Kept { cells, at_fault: Some(50), ..Kept::default() };
        let shown = cells_of(&row);
        assert!(shown.contains(">c50<") && shown.contains(">c38<") && !shown.contains(">c37<"), "{shown}");
        assert!(shown.contains("… 38 before") && shown.contains("… 38 more"), "{shown}");
        let last = Kept { at_fault: Some(99), cells: row.cells, ..Kept::default() };
        assert!(cells_of(&last).contains(">c99<") && cells_of(&last).contains("… 76 before"));
    }

    fn cells_of(row: &Kept) -> String {
        cells(row).into_string()
    }
}
