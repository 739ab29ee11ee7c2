//! `baton imports`: the imports that are looked for, newest first; with `--watch` live.

mod board;
mod changes;
mod watch;

use std::process::ExitCode;

use chrono::{NaiveDateTime, TimeDelta};
use ops::numbers;
use ops::show::picture::ImportPicture;
use ops::target::{Need, Target};
use worker::db::Connection;
use worker::imports::search;
use worker::ledger::{LOOKED_AT, Page, Search};

use crate::arguments::{Common, ImportsArguments};
use crate::output;

/// The columns of the list.
const HEADING: [&str; 9] =
    ["ID", "STATUS", "TABLE", "ROWS", "REJECTS", "ATTEMPTS", "CREATED", "PROGRESS", "ERROR"];

pub(crate) async fn imports(common: &Common, arguments: &ImportsArguments) -> anyhow::Result<ExitCode> {
    if arguments.watch {
        return watch::watch(common, arguments).await;
    }
    let target = Target::open(&common.choice, Need::Look).await?;
    let listed = match target.database.connect() {
        Ok(mut connection) => list(&mut connection, &arguments.search()),
        Err(failure) => Err(failure.into()),
    };
    target.close().await;
    let Listed { imports, searched_until } = listed?;
    if common.json {
        output::json(&imports)?;
    } else if imports.is_empty() {
        // A search that was broken off has not seen that there is none.
        if searched_until.is_none() {
            output::complain(&nothing(common, arguments));
        }
    } else {
        let rows: Vec<_> = imports.iter().map(cells).collect();
        output::table(HEADING, &rows);
    }
    if let Some(searched_until) = searched_until {
        output::complain(&broken_off(searched_until));
    }
    Ok(ExitCode::SUCCESS)
}

fn nothing(common: &Common, arguments: &ImportsArguments) -> String {
    let command = |verb: &str| common.command_line(verb);
    if arguments.is_without_filter() {
        format!("no imports yet; `{}` makes the first", command("run FILE --table TABLE"))
    } else {
        format!("no such import; `{}` lists the latest of all", command("imports"))
    }
}

/// Imports that were found.
struct Listed {
    imports: Vec<ImportPicture>,
    /// Where the search was broken off, although the list is not full; `None` where it was not.
    searched_until: Option<NaiveDateTime>,
}

fn list(connection: &mut Connection, wanted: &Search) -> anyhow::Result<Listed> {
    let Page { rows, next, is_broken_off } = search(connection, wanted)?;
    let searched_until = next.filter(|_| is_broken_off).map(|next| next.created_at);
    Ok(Listed { imports: rows.into_iter().map(ImportPicture::from).collect(), searched_until })
}

/// That a list may not have all. Imports that were created in the same second are looked at twice rather than never.
fn broken_off(searched_until: NaiveDateTime) -> String {
    let until = searched_until.and_utc() + TimeDelta::seconds(1);
    format!(
        "the search ended after {} imports; `--until {}` searches the older ones",
        numbers::count(u64::from(LOOKED_AT)),
        until.format("%Y-%m-%dT%H:%M:%SZ")
    )
}

/// An import as a line of the list.
fn cells(import: &ImportPicture) -> [String; 9] {
    [
        import.id.clone(),
        import.status.clone(),
        import.table.clone(),
        if import.options.dry_run { format!("{} (dry run)", import.rows) } else { import.rows.to_string() },
        import.rejects.to_string(),
        import.attempt.to_string(),
        import.created_at.format("%Y-%m-%d %H:%M:%S").to_string(),
        import.progress.as_ref().map(ToString::to_string).unwrap_or_default(),
        import.error.clone().unwrap_or_default(),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_search_that_was_broken_off_says_how_to_go_on() {
        let until = chrono::DateTime::from_timestamp_micros(1_767_225_660_250_000).unwrap().naive_utc();
        assert_eq!(
            broken_off(until),
            "the search ended after 20,000 imports; `--until 2026-01-01T00:01:01Z` searches the older ones"
        );
    }
}
