//! The database of a target, and the state of Baton's tables in it.

use anyhow::Context as _;
use local_stack::Session;
use worker::db::Database;

use super::choice::Kind;
use super::local;
use crate::cli::Common;
use crate::error::Usage;
use crate::report;

/// The database of the system that is meant, whether that is up or not, with Baton's tables up to date.
///
/// # Errors
/// As [`bare_database`], or the tables are not, and cannot be brought, up to date.
pub(crate) fn database(common: &Common) -> anyhow::Result<Database> {
    local::make_folder(common)?;
    let database = bare_database(common)?;
    prepare_at(common, &database).map(|()| database)
}

/// The same, whatever state its tables are in. Makes nothing: a database in the data folder needs [`local::make_folder`] first.
///
/// # Errors
/// Its URL is none.
pub(crate) fn bare_database(common: &Common) -> anyhow::Result<Database> {
    if let Kind::Aws(_, url) = &common.chosen.kind {
        return Ok(parse_database(url)?);
    }
    let url = match Session::of_any_stack(&common.data_dir)? {
        Some(session) => session.database_url,
        None => local::url_of_last_stack(common)?,
    };
    Ok(parse_database(&url)?)
}

/// The database of this URL.
pub(super) fn parse_database(url: &str) -> Result<Database, Usage> {
    Database::parse(url).map_err(|error| Usage(error.to_string()))
}

/// The laptop's tables are brought up to date by whoever comes; a deployment's by nobody but `baton migrate`.
pub(super) fn prepare_at(common: &Common, database: &Database) -> anyhow::Result<()> {
    if matches!(common.chosen.kind, Kind::Local) {
        return prepare(database);
    }
    if database.is_up_to_date()? {
        return Ok(());
    }
    Err(Usage(format!(
        "Baton's tables in {} are missing, or of an older version: `{}` brings them up to date",
        database.display_name(),
        report::command_line(common, "migrate")
    ))
    .into())
}

/// Brings Baton's own tables up to date.
pub(super) fn prepare(database: &Database) -> anyhow::Result<()> {
    database
        .migrate()
        .map(drop)
        .with_context(|| format!("failed to prepare the tables of Baton in {}", database.display_name()))
}

/// Opens the database of an embedded stack and brings Baton's own tables up to date.
pub(crate) fn open_database(url: &str) -> anyhow::Result<Database> {
    let database = parse_database(url)?;
    prepare(&database).map(|()| database)
}
