//! `baton migrate`: brings Baton's tables up to date.

use std::process::ExitCode;

use ops::target;
use serde::Serialize;

use crate::arguments::{Common, MigrateArguments};
use crate::output;

/// What was done, as `--json` prints it.
#[derive(Serialize)]
struct Migrated {
    /// Where: no secret.
    database: String,
    /// The migrations that were applied now, in order.
    applied: Vec<String>,
    /// The migrations that are still to be applied: with `--check`.
    missing: Vec<String>,
}

pub(crate) fn migrate(common: &Common, arguments: &MigrateArguments) -> anyhow::Result<ExitCode> {
    output::say_where(&target::place(&common.choice));
    if !arguments.check {
        target::local::make_folder(&common.choice)?;
    }
    let database = target::bare_database(&common.choice)?;
    let name = database.display_name();
    let pending = database.pending_migrations()?;
    let mut migrated = Migrated { database: name.clone(), applied: Vec::new(), missing: Vec::new() };
    if arguments.check {
        migrated.missing = pending;
    } else {
        let versions = database.migrate()?;
        // Another may have been at it meanwhile: what it did is not told as ours.
        migrated.applied = pending
            .into_iter()
            .filter(|name| versions.iter().any(|version| name.starts_with(version)))
            .collect();
    }
    if common.json {
        output::json(&migrated)?;
    } else {
        migrated.applied.iter().for_each(|name| output::line(&format!("{name}  applied")));
        migrated.missing.iter().for_each(|name| output::line(&format!("{name}  missing")));
        if migrated.missing.is_empty() {
            output::complain(&format!("Baton's tables in {name} are up to date"));
        } else {
            output::complain(&format!(
                "Baton's tables in {name} are not up to date: `{}` does it",
                common.command_line("migrate")
            ));
        }
    }
    Ok(if migrated.missing.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
