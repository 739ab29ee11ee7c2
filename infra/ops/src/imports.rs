//! `baton imports`: the latest imports, newest first.

use std::process::ExitCode;

use worker::db::Database;
use worker::imports::Search;

use crate::cli::{Common, ImportsArguments};
use crate::output;
use crate::show::picture::ImportPicture;
use crate::target::{Need, Target};

pub(crate) async fn imports(common: &Common, arguments: &ImportsArguments) -> anyhow::Result<ExitCode> {
    let target = Target::open(common, Need::Look).await?;
    let listed = list(&target.database, arguments.limit);
    target.close().await;
    let imports = listed?;
    if common.json {
        output::json(&imports)?;
    } else if imports.is_empty() {
        output::complain("no imports yet; `baton run FILE --table TABLE` makes the first");
    } else {
        let rows: Vec<_> = imports.iter().map(row).collect();
        output::table(["ID", "STATUS", "TABLE", "ROWS", "REJECTS", "ATTEMPTS", "CREATED", "ERROR"], &rows);
    }
    Ok(ExitCode::SUCCESS)
}

fn list(database: &Database, limit: u32) -> anyhow::Result<Vec<ImportPicture>> {
    let mut connection = database.connect()?;
    Ok(worker::imports::search(&mut connection, &Search { limit, ..Search::default() })?
        .rows
        .into_iter()
        .map(ImportPicture::from)
        .collect())
}

fn row(import: &ImportPicture) -> [String; 8] {
    [
        import.id.clone(),
        import.status.clone(),
        import.table.clone(),
        import.rows.to_string(),
        import.rejects.to_string(),
        import.attempt.to_string(),
        import.created_at.format("%Y-%m-%d %H:%M:%S").to_string(),
        import.error.clone().unwrap_or_default(),
    ]
}
