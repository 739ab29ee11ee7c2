//! How to start an embedded stack on the data folder.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use local_stack::{Config, DatabaseName, Limits, Session};

use super::choice::Kind;
use super::database::parse_database;
use super::{Choice, Target};
use crate::error::Usage;

/// The file of the rows, inside the data folder, where no other database is named.
const DEFAULT_DATABASE: &str = "baton.db";

/// Holds whoever runs an embedded stack to a target that is one.
///
/// # Errors
/// The target is a deployment.
pub fn check(choice: &Choice) -> Result<(), Usage> {
    let (Kind::Aws(..), Some(name)) = (&choice.chosen.kind, &choice.chosen.name) else { return Ok(()) };
    Err(Usage(format!(
        "the target {name} is a deployment, and this verb runs an embedded stack: `{}` imports through the \
         deployment, and --data-dir .baton takes the stack that is here",
        choice.commands.line("submit")
    )))
}

/// Holds a command that names no database to the one that it would import into by itself. Which one the stack of another command
/// has, that happens to be up, must not decide where the rows go.
///
/// # Errors
/// The stack that is up imports into another one.
pub fn expect_own_database(choice: &Choice, target: &Target) -> anyhow::Result<()> {
    if choice.database_url.is_some() || target.is_embedded() {
        return Ok(());
    }
    let (of_stack, own) =
        (target.database.display_name(), parse_database(&database_url(choice)?)?.display_name());
    anyhow::ensure!(
        of_stack == own,
        Usage(format!(
            "the stack that is up here imports into {of_stack}, and `run` without --database-url and DATABASE_URL into {own}: name the \
             database, or send the file through that stack with `{}`",
            choice.commands.line("submit")
        ))
    );
    Ok(())
}

/// How to start a stack on what lies in the data folder: it belongs to the database that its last stack used.
pub(super) fn of_last_stack(choice: &Choice) -> anyhow::Result<Config> {
    let config = embedded_config(choice, &OfStack::default())?;
    match Session::last(&choice.data_dir)? {
        Some(last) if choice.database_url.is_none() => {
            Ok(Config { database_url: last.database_url, ..config })
        }
        _ => Ok(config),
    }
}

/// What one may ask of an embedded stack.
pub struct OfStack<'a> {
    /// The port; 0 takes a free one.
    pub port: u16,
    /// The tables that imports may write.
    pub allowed_tables: &'a str,
    /// How many imports may run at once, 0 for any number; none: as many as in the folder's last stack.
    pub maximum_imports: Option<u32>,
}

impl Default for OfStack<'_> {
    fn default() -> Self {
        Self { port: 0, allowed_tables: "*", maximum_imports: None }
    }
}

/// How to start an embedded stack on the data folder, with the programs that lie beside `baton`.
///
/// # Errors
/// The target is a deployment, a program is missing, or the folder cannot be made.
pub fn embedded_config(choice: &Choice, asked: &OfStack<'_>) -> anyhow::Result<Config> {
    check(choice)?;
    make_folder(choice)?;
    // A cap that was forgotten would be none, and messages would be left in their lanes.
    let maximum_imports = match asked.maximum_imports {
        Some(number) => number,
        None => Session::last(&choice.data_dir).ok().flatten().map_or(0, |last| last.maximum_imports),
    };
    Ok(Config {
        data_dir: choice.data_dir.clone(),
        port: asked.port,
        worker: sibling("worker")?,
        start_import: sibling("start-import")?,
        assign_lane: sibling("assign-lane")?,
        database_url: database_url(choice)?,
        database: DatabaseName::default(),
        is_database_moved: false,
        allowed_tables: asked.allowed_tables.to_owned(),
        function_environment: Vec::new(),
        fifo: false,
        maximum_imports,
        worker_environment: Vec::new(),
        limits: Limits::default(),
        moving: true,
    })
}

/// The URL of the database that the data folder belongs to, as for [`of_last_stack`]. Makes nothing.
pub(super) fn url_of_last_stack(choice: &Choice) -> anyhow::Result<String> {
    check(choice)?;
    match Session::last(&choice.data_dir)? {
        Some(last) if choice.database_url.is_none() => Ok(last.database_url),
        _ => database_url(choice),
    }
}

/// Makes the data folder where a database is to be made in it.
pub fn make_folder(choice: &Choice) -> anyhow::Result<()> {
    if choice.database_url.is_some() || !matches!(choice.chosen.kind, Kind::Local) {
        return Ok(());
    }
    let dir = &choice.data_dir;
    std::fs::create_dir_all(dir)
        .with_context(|| format!("failed to create the folder {}; --data-dir names another", dir.display()))
}

/// The database that was asked for, or a file in the data folder.
fn database_url(choice: &Choice) -> anyhow::Result<String> {
    if let Some(url) = &choice.database_url {
        return Ok(url.clone());
    }
    let dir = &choice.data_dir;
    // Absolute, because the worker may run in another folder.
    let dir = match dir.canonicalize() {
        Err(error) if error.kind() == ErrorKind::NotFound => std::path::absolute(dir),
        resolved => resolved,
    };
    let dir = dir.with_context(|| format!("failed to resolve the folder {}", choice.data_dir.display()))?;
    Ok(format!("sqlite:{}", dir.join(DEFAULT_DATABASE).display()))
}

/// A program of this project: it lies beside `baton`, wherever that was installed.
pub(crate) fn sibling(name: &str) -> anyhow::Result<PathBuf> {
    let baton = std::env::current_exe().context("failed to find out where this program lies")?;
    let path =
        baton.parent().unwrap_or(Path::new(".")).join(format!("{name}{}", std::env::consts::EXE_SUFFIX));
    anyhow::ensure!(
        path.is_file(),
        "the program {} is missing; it belongs beside `baton`: `cargo build --release` makes all of them",
        path.display()
    );
    Ok(path)
}
