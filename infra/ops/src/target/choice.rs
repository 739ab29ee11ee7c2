//! Which system is meant: what is typed comes before the environment, and that before the file's default.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use worker::db::Database;

use super::config::{Config, Configured, Deployment};
use crate::commands::Commands;
use crate::error::Usage;
use crate::shell::option;

/// What stands for a password where a URL is shown.
const PASSWORD: &str = "PASSWORD";

/// Where an option was said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Said {
    /// By whoever asks.
    Typed,
    /// In a variable of the environment.
    InEnvironment,
    /// It was not said.
    Nowhere,
}

/// What was asked for, and where.
pub struct Asked<'a> {
    /// The program, as it was called.
    pub program: &'a str,
    /// A system by its name in `baton.toml`.
    pub target: (Option<&'a str>, Said),
    /// The file that names systems.
    pub config: (Option<&'a Path>, Said),
    /// The folder of an embedded stack.
    pub data_dir: (&'a Path, Said),
    /// The database.
    pub database_url: (Option<&'a str>, Said),
}

/// The system to work on.
#[derive(Clone, Debug)]
pub(crate) struct Chosen {
    /// Its name in the file; none where no file names it.
    pub(crate) name: Option<String>,
    /// The file that was read.
    pub(crate) file: Option<PathBuf>,
    pub(crate) kind: Kind,
}

/// What a system is.
#[derive(Clone, Debug)]
pub(crate) enum Kind {
    /// The embedded stack in the data folder.
    Local,
    /// A deployment, and the URL of its database: a secret.
    Aws(Box<Deployment>, String),
}

impl std::fmt::Debug for Choice {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Choice").field("chosen", &self.chosen.name).finish_non_exhaustive()
    }
}

/// The system, and what goes with it. Whoever has read a command line, or anything else that names a system, fills it.
#[derive(Clone)]
pub struct Choice {
    /// The system to work on.
    pub(crate) chosen: Chosen,
    /// The folder of the embedded stack, of a target that is one.
    pub data_dir: PathBuf,
    /// The database that was asked for; none where the target has its own.
    pub(crate) database_url: Option<String>,
    /// How a command line for the same system is typed.
    pub commands: Commands,
}

/// Chooses, reading `baton.toml` where one is named or found.
///
/// # Errors
/// The file cannot be read or is wrong, there is no such target, or two are asked for at once.
pub fn choose(asked: &Asked<'_>) -> anyhow::Result<Choice> {
    let config = match asked.config.0 {
        Some(path) => Some(Config::read(path)?),
        None => {
            let here = std::env::current_dir().context("failed to find out the working directory")?;
            Config::find(&here)?
        }
    };
    Ok(among(asked, config.as_ref())?)
}

fn among(asked: &Asked<'_>, config: Option<&Config>) -> Result<Choice, Usage> {
    let file = config.map(|config| config.path.clone());
    // What is in the environment is there for the next command, too.
    let typed = asked.database_url.0.filter(|_| asked.database_url.1 == Said::Typed);
    let database = ("database-url", typed.map(shown_url));
    let commands = |options: &[_]| Commands::new(asked.program, retold(options));
    let Some(name) = name(asked, config)? else {
        let data_dir = asked.data_dir.0.to_owned();
        let is_usual =
            data_dir.as_os_str() == ".baton" && config.is_none_or(|config| config.default.is_none());
        return Ok(Choice {
            chosen: Chosen { name: None, file, kind: Kind::Local },
            commands: commands(&[
                ("data-dir", (!is_usual).then(|| data_dir.display().to_string())),
                database,
            ]),
            database_url: asked.database_url.0.map(str::to_owned),
            data_dir,
        });
    };
    let Some(config) = config else {
        return Err(Usage(format!(
            "there is no baton.toml, here or in a folder above, that could have the target {name:?}; --config names one"
        )));
    };
    let commands = commands(&[
        ("target", (config.default.as_deref() != Some(name)).then(|| name.to_owned())),
        ("config", (asked.config.1 == Said::Typed).then(|| config.path.display().to_string())),
        database,
    ]);
    let chosen = |kind| Chosen { name: Some(name.to_owned()), file, kind };
    // A DATABASE_URL that was set for the laptop must not lead a deployment's imports astray.
    let typed = typed.map(str::to_owned);
    match config.target(name)? {
        Configured::Local { data_dir, database } => {
            let named = || database.as_ref().map(|database| database.reveal(name)).transpose();
            let database_url = match typed {
                Some(typed) => Some(typed),
                None => named()?.or_else(|| asked.database_url.0.map(str::to_owned)),
            };
            Ok(Choice { chosen: chosen(Kind::Local), data_dir: short(data_dir), database_url, commands })
        }
        Configured::Aws(deployment) => {
            let url = match typed {
                Some(typed) => typed,
                None => deployment.database.reveal(name)?,
            };
            Ok(Choice {
                chosen: chosen(Kind::Aws(deployment.clone(), url)),
                data_dir: asked.data_dir.0.to_owned(),
                database_url: None,
                commands,
            })
        }
    }
}

/// Options as they can be typed, each with a space before.
fn retold(options: &[(&str, Option<String>)]) -> String {
    let said = options.iter().filter_map(|(name, value)| Some(format!(" {}", option(name, value.as_ref()?))));
    said.collect()
}

/// The URL of a database as it may be shown: a password is a word that says so.
fn shown_url(url: &str) -> String {
    // What is no URL may have a password anywhere.
    if Database::parse(url).is_err() {
        return "URL".to_owned();
    }
    let Some((scheme, rest)) = url.split_once("://").filter(|(scheme, _)| scheme.starts_with("postgres"))
    else {
        return url.to_owned();
    };
    let (place, query) = rest.split_once('?').map_or((rest, None), |(place, query)| (place, Some(query)));
    let (authority, name) = place.split_once('/').map_or((place, None), |(host, name)| (host, Some(name)));
    let mut shown = format!("{scheme}://");
    match authority.rsplit_once('@') {
        Some((login, hosts)) => {
            let login =
                login.split_once(':').map_or(login.to_owned(), |(user, _)| format!("{user}:{PASSWORD}"));
            shown.push_str(&format!("{login}@{hosts}"));
        }
        None => shown.push_str(authority),
    }
    shown.extend(name.map(|name| format!("/{name}")));
    let of_query = |pair: &str| match pair.split_once('=') {
        Some(("password", _)) => format!("password={PASSWORD}"),
        _ => pair.to_owned(),
    };
    shown.extend(
        query.map(|query| format!("?{}", query.split('&').map(of_query).collect::<Vec<_>>().join("&"))),
    );
    shown
}

/// The name of the target that is meant; none: the folder that is named, or the usual one.
fn name<'a>(asked: &'a Asked<'a>, config: Option<&'a Config>) -> Result<Option<&'a str>, Usage> {
    match (asked.target, asked.data_dir.1) {
        ((Some(_), Said::Typed), Said::Typed) => {
            Err(Usage("--target and --data-dir name two systems: leave one of them out".to_owned()))
        }
        ((Some(name), Said::Typed), _) => Ok(Some(name)),
        (_, Said::Typed) => Ok(None),
        ((Some(name), _), _) => Ok(Some(name)),
        (_, Said::InEnvironment) => Ok(None),
        _ => Ok(config.and_then(|config| config.default.as_deref())),
    }
}

/// The folder as one would type it here.
fn short(folder: &Path) -> PathBuf {
    let here = std::env::current_dir().ok();
    let below = here.as_deref().and_then(|here| folder.strip_prefix(here).ok());
    below.filter(|below| !below.as_os_str().is_empty()).unwrap_or(folder).to_owned()
}

#[cfg(test)]
mod tests;
