//! `baton imports`: the imports that are looked for, newest first; with `--watch` live.

mod board;
mod changes;
mod watch;

use std::process::ExitCode;

use worker::db::Database;
use worker::imports::{Search, search};

use crate::cli::{Common, ImportsArguments};
use crate::output;
use crate::show::picture::ImportPicture;
use crate::target::{Need, Target};

/// The columns of the list.
const HEADING: [&str; 9] =
    ["ID", "STATUS", "TABLE", "ROWS", "REJECTS", "ATTEMPTS", "CREATED", "PROGRESS", "ERROR"];

pub(crate) async fn imports(common: &Common, arguments: &ImportsArguments) -> anyhow::Result<ExitCode> {
    if arguments.watch {
        return watch::watch(common, arguments).await;
    }
    let target = Target::open(common, Need::Look).await?;
    let listed = list(&target.database, &arguments.search());
    target.close().await;
    let imports = listed?;
    if common.json {
        output::json(&imports)?;
    } else if imports.is_empty() {
        output::complain(nothing(arguments));
    } else {
        let rows: Vec<_> = imports.iter().map(cells).collect();
        output::table(HEADING, &rows);
    }
    Ok(ExitCode::SUCCESS)
}

fn nothing(arguments: &ImportsArguments) -> &'static str {
    if arguments.is_without_filter() {
        "no imports yet; `baton run FILE --table TABLE` makes the first"
    } else {
        "no such import; `baton imports` lists the latest of all"
    }
}

fn list(database: &Database, wanted: &Search) -> anyhow::Result<Vec<ImportPicture>> {
    let found = search(&mut database.connect()?, wanted)?;
    Ok(found.rows.into_iter().map(ImportPicture::from).collect())
}

/// An import as a line of the list.
fn cells(import: &ImportPicture) -> [String; 9] {
    [
        import.id.clone(),
        import.status.clone(),
        import.table.clone(),
        import.rows.to_string(),
        import.rejects.to_string(),
        import.attempt.to_string(),
        import.created_at.format("%Y-%m-%d %H:%M:%S").to_string(),
        import.progress.as_ref().map(ToString::to_string).unwrap_or_default(),
        import.error.clone().unwrap_or_default(),
    ]
}
