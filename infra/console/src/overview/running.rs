//! The imports that run, each with how far it is.

use maud::{Markup, html};
use worker::imports::ImportRow;

use crate::layout;

pub(super) fn list(runs: &[ImportRow]) -> Markup {
    if runs.is_empty() {
        return layout::empty(
            "No worker is at work",
            "An import that a worker has is shown here, with how far it is. One that waits for its next attempt is among those that failed.",
        );
    }
    let columns = [
        layout::Column::new("Import"),
        layout::Column::new("Table"),
        layout::Column::wide("Progress"),
        layout::Column::number("Attempt"),
    ];
    let rows = runs.iter().map(|row| {
        [
            html! { (layout::import_link(&row.id)) },
            html! { (layout::text(&row.table_name)) },
            layout::import_progress(row),
            html! { (row.attempt) },
        ]
    });
    layout::table("Imports that run", &columns, rows)
}
