//! `baton.toml`: the systems that `baton` can work on, by name. The file may hold the URL of a database, so nothing of its
//! values is repeated in an error; every problem of the file is told at once.

mod keys;

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use local_stack::Resources;
use toml::Table;

use crate::error::Usage;
use keys::Keys;

/// The file's name.
pub(crate) const FILE: &str = "baton.toml";

/// What a file says.
#[derive(Debug)]
pub(crate) struct Config {
    /// Where it lies.
    pub(crate) path: PathBuf,
    /// The target that is meant where none is named.
    pub(crate) default: Option<String>,
    /// By name, as they stand in the file.
    pub(crate) targets: Vec<(String, Configured)>,
}

/// One target of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Configured {
    /// An embedded stack, in this folder.
    Local { data_dir: PathBuf, database: Option<DatabaseUrl> },
    /// A deployment.
    Aws(Box<Deployment>),
}

/// A deployment on AWS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Deployment {
    pub(crate) region: String,
    /// The profile of the AWS CLI's files that has the credentials; none: as the SDK finds them.
    pub(crate) profile: Option<String>,
    /// Where the services answer, if it is not at AWS.
    pub(crate) endpoint_url: Option<String>,
    pub(crate) resources: Resources,
    pub(crate) database: DatabaseUrl,
}

impl Deployment {
    /// The account that it is in, 12 digits.
    pub(crate) fn account(&self) -> &str {
        self.resources.import_state_machine_arn.split(':').nth(4).unwrap_or_default()
    }
}

/// Where the URL of a database is found.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum DatabaseUrl {
    /// In the file. A secret.
    Written(String),
    /// In this variable of the environment.
    InVariable(String),
}

impl std::fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Written(_) => f.write_str("Written(…)"),
            Self::InVariable(name) => write!(f, "InVariable({name})"),
        }
    }
}

impl DatabaseUrl {
    /// The same, with a file of SQLite that is named by a relative path in this folder.
    fn beside(self, folder: &Path) -> Self {
        match self {
            Self::Written(url) => Self::Written(match url.strip_prefix("sqlite:") {
                Some(file) if !file.starts_with(':') => {
                    format!("sqlite:{}", folder.join(file.strip_prefix("//").unwrap_or(file)).display())
                }
                _ => url,
            }),
            Self::InVariable(name) => Self::InVariable(name),
        }
    }

    /// The URL itself.
    ///
    /// # Errors
    /// The variable is not set.
    pub(crate) fn reveal(&self, target: &str) -> Result<String, Usage> {
        match self {
            Self::Written(url) => Ok(url.clone()),
            #[expect(
                clippy::disallowed_methods,
                reason = "this is the one place of `baton` that reads the environment"
            )]
            Self::InVariable(name) => std::env::var(name).map_err(|_| {
                Usage(format!(
                    "the variable {name} is not set; the target {target} has the URL of its database there"
                ))
            }),
        }
    }
}

impl Config {
    /// The file in `dir` or the nearest folder above; none where there is none.
    ///
    /// # Errors
    /// As [`Config::read`].
    pub(crate) fn find(dir: &Path) -> anyhow::Result<Option<Self>> {
        let mut files = dir.ancestors().map(|folder| folder.join(FILE));
        files.find(|file| file.is_file()).map(|file| Self::read(&file)).transpose()
    }

    /// Reads a file.
    ///
    /// # Errors
    /// It cannot be read, or is wrong: with every problem, and without what may be a secret.
    pub(crate) fn read(path: &Path) -> anyhow::Result<Self> {
        let text =
            std::fs::read_to_string(path).with_context(|| format!("failed to read {}", path.display()))?;
        let mut problems = Vec::new();
        let config = Self::parse(path, &text, &mut problems);
        match config {
            Some(config) if problems.is_empty() => Ok(config),
            _ => Err(Usage(format!("{} is wrong: {}", path.display(), problems.join("\n  and "))).into()),
        }
    }

    fn parse(path: &Path, text: &str, problems: &mut Vec<String>) -> Option<Self> {
        let top: Table = match text.parse() {
            Ok(top) => top,
            Err(error) => {
                problems.push(syntax(text, &error));
                return None;
            }
        };
        let mut keys = Keys::new("", &top, problems);
        let default = keys.optional("default");
        let targets = keys.table("targets");
        keys.finish();
        let mut read = Vec::new();
        for (name, value) in targets.into_iter().flatten() {
            let place = format!("targets.{name}.");
            match value.as_table() {
                Some(table) => {
                    if let Some(target) = target(path, Keys::new(&place, table, problems)) {
                        read.push((name.clone(), target));
                    }
                }
                None => problems.push(format!("targets.{name} is no table: write [targets.{name}]")),
            }
        }
        let known: Vec<_> = targets.into_iter().flatten().map(|(name, _)| name.as_str()).collect();
        if let Some(default) = default.as_ref().filter(|default| !known.contains(&default.as_str())) {
            problems.push(no_target(default, &known));
        }
        Some(Self { path: path.to_owned(), default, targets: read })
    }

    /// The target of this name.
    ///
    /// # Errors
    /// There is none; with the nearest name.
    pub(crate) fn target(&self, name: &str) -> Result<&Configured, Usage> {
        let found = self.targets.iter().find(|(known, _)| known == name);
        found.map(|(_, target)| target).ok_or_else(|| {
            let known: Vec<_> = self.targets.iter().map(|(known, _)| known.as_str()).collect();
            Usage(format!("{} in {}", no_target(name, &known), self.path.display()))
        })
    }
}

/// The parser's message shows the line, which may hold a password: only its number is told.
fn syntax(text: &str, error: &toml::de::Error) -> String {
    let at = error.span().map_or(0, |span| span.start);
    let line = text.get(..at).unwrap_or_default().matches('\n').count() + 1;
    let what = error.message().lines().next().unwrap_or_default();
    // Some messages quote what they found.
    let what = what.split(['`', '"', '\'']).next().unwrap_or_default().trim_end_matches([' ', ',', ':']);
    format!("line {line} is no TOML: {what}")
}

fn no_target(name: &str, known: &[&str]) -> String {
    let names = match keys::nearest(name, known) {
        Some(nearest) => format!("; is it {nearest:?}?"),
        None if known.is_empty() => "; it has no [targets.NAME]".to_owned(),
        None => format!("; there are {}", known.join(", ")),
    };
    format!("there is no target {name:?}{names}")
}

fn target(path: &Path, mut keys: Keys<'_, '_>) -> Option<Configured> {
    let target = match keys.required("kind")?.as_str() {
        "local" => local(path, &mut keys),
        "aws" => aws(&mut keys),
        _ => {
            keys.problem("kind", "is neither \"local\" nor \"aws\"");
            return None;
        }
    };
    keys.finish();
    target
}

fn local(path: &Path, keys: &mut Keys<'_, '_>) -> Option<Configured> {
    let data_dir = keys.required("data_dir");
    let database = database(keys);
    // Beside the file, wherever the command is typed.
    let beside = path.parent().unwrap_or(Path::new(""));
    let database = database.map(|database| database.beside(beside));
    let data_dir = beside.join(data_dir?);
    Some(Configured::Local { data_dir, database })
}

fn aws(keys: &mut Keys<'_, '_>) -> Option<Configured> {
    let region = keys.required("region");
    let profile = keys.optional("profile");
    let endpoint_url = keys.optional("endpoint_url");
    let queue_url = keys.url("queue_url");
    let lane_queue_url = keys.optional_url("lane_queue_url");
    let dead_letter_queue_url = keys.url("dead_letter_queue_url");
    let import_state_machine_arn = keys.machine("import_state_machine_arn", region.as_deref());
    let dead_letter_state_machine_arn = keys.machine("dead_letter_state_machine_arn", region.as_deref());
    let bucket = keys.required("bucket");
    let cluster_arn = keys.arn("cluster_arn", "ecs", "cluster/", region.as_deref());
    let worker_log_group = keys.required("worker_log_group");
    let database = database(keys);
    if database.is_none() {
        keys.problem("database_url", "is missing; or name a variable that has it, by database_url_env");
    }
    Some(Configured::Aws(Box::new(Deployment {
        region: region?,
        profile,
        endpoint_url,
        resources: Resources {
            queue_url: queue_url?,
            lane_queue_url,
            dead_letter_queue_url: dead_letter_queue_url?,
            import_state_machine_arn: import_state_machine_arn?,
            dead_letter_state_machine_arn: dead_letter_state_machine_arn?,
            bucket: bucket?,
            cluster_arn: cluster_arn?,
            worker_log_group: worker_log_group?,
        },
        database: database?,
    })))
}

fn database(keys: &mut Keys<'_, '_>) -> Option<DatabaseUrl> {
    match (keys.optional("database_url"), keys.optional("database_url_env")) {
        (Some(_), Some(_)) => {
            keys.problem("database_url_env", "contradicts database_url: leave one of them out");
            None
        }
        (Some(url), None) => Some(DatabaseUrl::Written(url)),
        (None, variable) => variable.map(DatabaseUrl::InVariable),
    }
}

#[cfg(test)]
mod tests;
