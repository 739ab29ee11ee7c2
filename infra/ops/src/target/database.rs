//! The database of a target, and the state of Baton's tables in it.

use std::path::Path;

use anyhow::Context as _;
use local_stack::{DatabaseName, Session};
use worker::db::Database;

use super::Choice;
use super::choice::Kind;
use super::local;
use crate::error::Usage;

/// The database of the system that is meant, whether that is up or not, with Baton's tables up to date.
///
/// # Errors
/// As [`bare_database`], or the tables are not, and cannot be brought, up to date.
pub fn database(choice: &Choice) -> anyhow::Result<Database> {
    local::make_folder(choice)?;
    let database = bare_database(choice)?;
    prepare_at(choice, &database).map(|()| database)
}

/// The same, whatever state its tables are in. Makes nothing: a database in the data folder needs [`local::make_folder`] first.
///
/// # Errors
/// Its URL is none, or another one was asked for than the stack has that is up.
pub fn bare_database(choice: &Choice) -> anyhow::Result<Database> {
    if let Kind::Aws(_, url) = &choice.chosen.kind {
        return Ok(parse_database(url)?);
    }
    let Some(session) = Session::of_any_stack(&choice.data_dir)? else {
        return Ok(parse_database(&local::url_of_last_stack(choice)?)?);
    };
    let database = parse_database(&session.database_url)?;
    if let Some(asked) = &choice.database_url {
        expect_the_same(&database, &parse_database(asked)?)?;
    }
    Ok(database)
}

/// The database of this URL.
pub(super) fn parse_database(url: &str) -> Result<Database, Usage> {
    Database::parse(url).map_err(|error| Usage(error.to_string()))
}

/// The laptop's tables are brought up to date by whoever comes; a deployment's by nobody but `baton migrate`.
pub(super) fn prepare_at(choice: &Choice, database: &Database) -> anyhow::Result<()> {
    if matches!(choice.chosen.kind, Kind::Local) {
        return prepare(database);
    }
    if database.is_up_to_date()? {
        return Ok(());
    }
    Err(Usage(format!(
        "Baton's tables in {} are missing, or of an older version: `{}` brings them up to date",
        database.display_name(),
        choice.commands.line("migrate")
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

/// How the database is told from others in the data folder of an embedded stack. One that lies in the folder goes where it goes.
pub fn name_in_folder(database: &Database, data_dir: &Path) -> DatabaseName {
    let name = database.name_with_role();
    let within = || {
        let (file, folder) = (database.file()?.canonicalize().ok()?, data_dir.canonicalize().ok()?);
        Some(format!("in the folder {}", file.strip_prefix(folder).ok()?.display()))
    };
    // Another role sees other rows, and other options another schema: then it is not the same to work with.
    let with_role =
        |known: String| name.lines().skip(1).fold(known, |known, line| format!("{known}\n{line}"));
    let identity = within().or_else(|| database.identity()).map(with_role);
    DatabaseName { name, identity }
}

/// Opens the database of an embedded stack and brings Baton's own tables up to date.
pub fn open_database(url: &str) -> anyhow::Result<Database> {
    let database = parse_database(url)?;
    prepare(&database).map(|()| database)
}

/// Rows go into the database of the stack that is up, and it knows no others: a caller that names another one is refused.
pub(super) fn expect_the_same(of_stack: &Database, asked: &Database) -> Result<(), Usage> {
    let (name, name_of_asked) = (of_stack.display_name(), asked.display_name());
    let of_asked = match name == name_of_asked {
        true if of_stack.has_role_of(asked) => return Ok(()),
        true => "it as another role, or with other options",
        false => &name_of_asked,
    };
    Err(Usage(format!(
        "the stack that is up here imports into {name}, and --database-url or DATABASE_URL names {of_asked}; leave it out, end that \
         stack, or name another folder by --data-dir"
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stack_that_is_up_takes_no_other_database_and_no_other_role() {
        let compared = |of_stack: &str, asked: &str| {
            let parse = |url: &str| Database::parse(url).unwrap();
            expect_the_same(&parse(of_stack), &parse(asked)).map_err(|error| error.to_string())
        };
        assert_eq!(compared("sqlite:a.db", "sqlite:a.db"), Ok(()));
        let stack = "postgres://owner:one@h/shop";
        assert_eq!(compared(stack, "postgres://owner:two@h/shop"), Ok(()), "passwords change");
        assert!(
            compared(stack, "postgres://owner@h/other").unwrap_err().contains("names postgres h:5432/other;")
        );
        for asked in ["postgres://app@h/shop", "postgres://owner@h/shop?options=-csearch_path%3Dsales"] {
            let said = compared(stack, asked).unwrap_err();
            assert!(said.contains("names it as another role, or with other options; leave it out"), "{said}");
            assert!(!said.contains("owner"), "{said}");
        }
    }
}
