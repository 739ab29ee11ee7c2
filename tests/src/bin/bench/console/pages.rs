//! The pages, and what each must say.

use super::Size;
use super::seed::{self, LONG};

/// A page of the console.
pub(super) struct Page {
    pub(super) what: &'static str,
    pub(super) path: String,
    pub(super) says: Vec<String>,
}

pub(super) fn all(size: Size) -> Vec<Page> {
    let page = |what, path: &str, says: &[&str]| Page {
        what,
        path: path.to_owned(),
        says: says.iter().map(|words| (*words).to_owned()).collect(),
    };
    let newest_failed = seed::id(0);
    // In the middle of all.
    let middle = seed::id(size.executions / 2 + 1);
    vec![
        page("overview", "/", &[&seed::letter(size.dead_letters - 1), "Import.TableMissing"]),
        page("list of imports", "/imports", &[&seed::letter(0), &seed::id(1)]),
        page("list of failed imports", "/imports?status=FAILURE", &[&newest_failed, &seed::id(10)]),
        page("a search", &format!("/imports?text={middle}"), &[&middle]),
        page("an import with 100 events", &format!("/imports/{middle}"), &[&middle, "RunImport"]),
        page(
            "an import with 10,000 events",
            &format!("/imports/{LONG}"),
            &[LONG, "RunImport", "Import.TableMissing"],
        ),
        page("dead letters", "/dead-letters", &[&seed::letter(0), &seed::letter(size.dead_letters - 1)]),
    ]
}
