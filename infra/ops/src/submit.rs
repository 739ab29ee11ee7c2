//! Brings a file to its import: puts it into S3, writes the import's row, sends the message. What takes its time, or makes and drops
//! tables, is said while it is done ([`Say`]).

mod content;
mod interrupted;
mod registered;
mod upload;

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use chrono::Utc;
use serde_json::json;
use statemachine::{ImportOptions, JobId, Source};
use tokio_util::sync::CancellationToken;
use worker::import::create_table::{self, Made};
use worker::imports::{self, ImportRow, NewImport};
use worker::ledger::{self, Registered};

use crate::commands::Commands;
use crate::error::{Usage, of_aws};
use crate::numbers;
use crate::target::Target;
pub use interrupted::Interrupted;
use interrupted::Left;
use registered::Registration;
use upload::{Stamp, upload};

/// The most that S3 takes in one PutObject, in bytes; the console takes no more either.
pub const MAX_PUT_BYTES: u64 = 5 * 1024 * 1024 * 1024;

/// The longest name of a file that is kept in its object's key. The rejects file's key is this key, the import's id once
/// more and the attempt's number, and the embedded stack takes keys of 130 bytes.
const MAX_NAME_BYTES: usize = 28;

/// Tells the person for whom it is done how it goes, a sentence or a few lines at a time.
pub type Say = fn(&str);

/// A file that is to be imported.
#[derive(Clone, Debug)]
pub struct File {
    /// Where it lies on this machine.
    pub path: PathBuf,
    /// The table that its rows go to.
    pub table: String,
    /// Whether a table that is missing is made.
    pub create_table: bool,
    /// How it is read and loaded.
    pub options: ImportOptions,
}

/// An import on its way.
pub struct Submitted {
    /// The import.
    pub import_id: JobId,
    /// The execution that the message will start: its name is known before it runs.
    pub execution_arn: String,
    /// The table that was made for it.
    pub made: Option<Made>,
    /// Whether its message was sent now; it was under way already where not.
    pub is_sent: bool,
}

/// What came of a file that was to be imported.
pub enum Sending {
    /// Its import is on its way.
    Submitted(Submitted),
    /// It was imported before, under the same id; nothing was done now.
    Done(Box<ImportRow>),
}

/// Sends one file through the queue of the target. A table that was made for it goes again where that fails.
///
/// # Errors
/// As [`prepare`] and [`ask`].
pub async fn send(
    commands: &Commands,
    target: &Target,
    import_id: &JobId,
    file: &File,
    stop: &CancellationToken,
    say: Say,
) -> anyhow::Result<Sending> {
    let made = match prepare(commands, target, import_id, file, stop, say).await? {
        Prepared::ToBeAsked(made) => made,
        Prepared::Settled(sending) => return Ok(sending),
    };
    match ask(target, import_id).await {
        Ok(execution_arn) => Ok(Sending::of(import_id, execution_arn, made)),
        Err(error) => {
            undo(target, made, import_id, say).await;
            Err(error)
        }
    }
}

impl Sending {
    /// The message of the import was sent, and will start this execution.
    pub fn of(import_id: &JobId, execution_arn: String, made: Option<Made>) -> Self {
        Self::Submitted(Submitted { import_id: import_id.clone(), execution_arn, made, is_sent: true })
    }
}

/// How far an import is once its file is where an import takes it.
pub enum Prepared {
    /// It is registered, and its message is to be sent. This table was made for it.
    ToBeAsked(Option<Made>),
    /// Nothing more is to be done.
    Settled(Sending),
}

/// Brings a file to where an import takes it, and registers the import. A table that was made for it goes again where this
/// fails. An import that is registered already is looked at before anything is made or uploaded.
///
/// # Errors
/// [`Interrupted`] where `stop` was cancelled before the import was registered.
pub async fn prepare(
    commands: &Commands,
    target: &Target,
    import_id: &JobId,
    file: &File,
    stop: &CancellationToken,
    say: Say,
) -> anyhow::Result<Prepared> {
    let import = NewImport {
        import_id: import_id.clone(),
        source: source_of(target, import_id, &file.path),
        version_id: None,
        table: file.table.clone(),
        options: file.options.clone(),
    };
    // Before anything of it is looked at: what a table is made for is what is uploaded.
    let seen = Stamp::of(&file.path).await?;
    let registered = tokio::select! {
        registered = registered::look(commands, target, &import, &file.path, say) => registered?,
        () = stop.cancelled() => return Err(Interrupted(Left::AsBefore).into()),
    };
    let is_new = matches!(registered, Registration::NotYet);
    if let Some(settled) = registered.settled(import_id) {
        return Ok(Prepared::Settled(settled));
    }
    let made = match file.create_table {
        true => create_missing_table(target, file, stop, say).await?,
        false => None,
    };
    let brought = async {
        let uploaded = match is_new {
            true => upload(target, &import.source, &file.path, &seen, stop).await?,
            false => seen.expect_of(&file.path).await.map(|()| false)?,
        };
        register_or_delete(target, &import, uploaded, stop, say).await
    };
    match brought.await {
        // Whoever made the table may have dropped it since it was seen to be there. From now on this import is known to need it.
        Ok(()) if file.create_table && made.is_none() => {
            create_missing_table(target, file, stop, say).await.map(Prepared::ToBeAsked)
        }
        Ok(()) => Ok(Prepared::ToBeAsked(made)),
        Err(error) => {
            undo(target, made, import_id, say).await;
            Err(registered::or_registered_otherwise(commands, target, &import, error))
        }
    }
}

/// Registers an import. Its file goes again where it was `uploaded` for that and `stop` was cancelled before.
async fn register_or_delete(
    target: &Target,
    import: &NewImport,
    uploaded: bool,
    stop: &CancellationToken,
    say: Say,
) -> anyhow::Result<()> {
    if register(target, import, stop, say).await? == Registered::Yes {
        return Ok(());
    }
    if !uploaded {
        return Err(Interrupted(Left::AsBefore).into());
    }
    let source = &import.source;
    let deleted = target.s3.delete_object().bucket(&source.bucket).key(&source.key).send().await;
    let left = if deleted.is_err() { Left::Object(source.clone()) } else { Left::Nothing };
    Err(Interrupted(left).into())
}

/// Drops the table that was made for an import which has failed, and says so.
pub async fn undo(target: &Target, made: Option<Made>, import_id: &JobId, say: Say) {
    let Some(made) = made else { return };
    let (database, import_id, table) = (target.database.clone(), import_id.clone(), made.table().to_owned());
    let undone = tokio::task::spawn_blocking(move || made.undo(&database, &import_id)).await;
    say(&match undone {
        Ok(Ok(None)) => format!(
            "dropped the table {table}, which was made for this import; it has to be there again before the import is run again"
        ),
        Ok(Ok(Some(kept))) => format!("the table {table}, which was made for this import, stays: {kept}"),
        Ok(Err(failure)) => {
            format!(
                "the table {table}, which was made for this import, stays: {failure}; before you drop it by hand, see that it has no rows of others"
            )
        }
        Err(error) => format!("the table {table}, which was made for this import, may be left: {error}"),
    });
}

/// Registers an import whose file is in S3, and sends the message that asks for it.
pub async fn start(target: &Target, import: NewImport, say: Say) -> anyhow::Result<Submitted> {
    register(target, &import, &CancellationToken::new(), say).await?;
    let execution_arn = ask(target, &import.import_id).await?;
    Ok(Submitted { import_id: import.import_id, execution_arn, made: None, is_sent: true })
}

/// Sends the message that asks for an import. Returns the execution that it will start.
pub async fn ask(target: &Target, import_id: &JobId) -> anyhow::Result<String> {
    let sent = target
        .sqs
        .send_message()
        .queue_url(&target.resources.queue_url)
        .message_body(json!({"import_id": import_id}).to_string())
        .send()
        .await
        .map_err(of_aws)
        .with_context(|| format!("failed to send the message to {}", target.resources.queue_url))?;
    let message_id = sent.message_id.context("SQS gave the message no id")?;
    let state_machine = &target.resources.import_state_machine_arn;
    let execution = state_machine.replacen(":stateMachine:", ":execution:", 1);
    Ok(format!("{execution}:{import_id}-{message_id}"))
}

/// Registers an import, and waits for that as long as another one writes into the database, or until `stop` is cancelled.
async fn register(
    target: &Target,
    import: &NewImport,
    stop: &CancellationToken,
    say: Say,
) -> anyhow::Result<Registered> {
    let mut has_said = false;
    while !stop.is_cancelled() {
        let (database, import) = (target.database.clone(), import.clone());
        let register = move || {
            let mut connection = database.connect()?;
            ledger::wait_briefly(&mut connection)?;
            imports::register(&mut connection, &import)
        };
        let registered =
            tokio::task::spawn_blocking(register).await.context("failed to register the import")??;
        if registered == Registered::Yes {
            return Ok(registered);
        }
        if !has_said {
            say("waiting for the database: another import or program writes into it");
            has_said = true;
        }
    }
    Ok(Registered::Busy)
}

/// Says what is wrong with a file before anything is started for it.
///
/// # Errors
/// It cannot be read, or is not one that can be imported.
pub fn check(path: &Path) -> anyhow::Result<()> {
    let metadata =
        fs::metadata(path).map_err(|error| Usage(format!("cannot read {}: {error}", path.display())))?;
    if metadata.is_dir() {
        return Err(Usage(format!("{} is a directory; name a CSV file in it", path.display())).into());
    }
    if !metadata.is_file() {
        return Err(
            Usage(format!("{} is a pipe or a device; save it as a file first", path.display())).into()
        );
    }
    if metadata.len() > MAX_PUT_BYTES {
        let size = numbers::bytes(metadata.len());
        return Err(Usage(format!(
            "{} has {size}, more than S3 takes in one request: upload it in parts (`aws s3 cp`) under imports/<table>/",
            path.display()
        ))
        .into());
    }
    fs::File::open(path).map_err(|error| Usage(format!("cannot read {}: {error}", path.display())))?;
    Ok(())
}

/// Makes the table that is missing. Where `stop` is cancelled the file is read no further, and no table is made.
async fn create_missing_table(
    target: &Target,
    file: &File,
    stop: &CancellationToken,
    say: Say,
) -> anyhow::Result<Option<Made>> {
    let File { path, table, options, .. } = file.clone();
    let file = fs::File::open(&path).with_context(|| format!("failed to open {}", path.display()))?;
    let file = UntilStopped { file, stop: stop.clone() };
    let (database, wanted) = (target.database.clone(), table.clone());
    let create = move || create_table::create_missing(&database, &wanted, file, &options);
    let created = tokio::task::spawn_blocking(create).await.context("failed to look at the file")?;
    if created.is_err() && stop.is_cancelled() {
        return Err(Interrupted(Left::AsBefore).into());
    }
    let created =
        created.with_context(|| format!("failed to make the table {table} from {}", path.display()))?;
    if let Some(made) = &created {
        say(&format!("made the missing table:\n{}", made.statement()));
    }
    Ok(created)
}

/// A file that cannot be read any more once `stop` is cancelled.
struct UntilStopped {
    file: fs::File,
    stop: CancellationToken,
}

impl Read for UntilStopped {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if self.stop.is_cancelled() {
            return Err(std::io::Error::other("interrupted"));
        }
        self.file.read(buffer)
    }
}

/// Where a file is put for an import.
fn source_of(target: &Target, import_id: &JobId, path: &Path) -> Source {
    let name = path.file_name().map_or_else(|| "file.csv".into(), |name| name.to_string_lossy().into_owned());
    Source { bucket: target.resources.bucket.clone(), key: object_key(import_id, &name) }
}

/// The key of a file that is put into S3 for an import, or for several: `id` keeps files of one name apart.
pub fn object_key(id: &JobId, name: &str) -> String {
    format!("uploads/{id}/{}", shortened(name))
}

/// The name of a file, cut if need be, with its ending.
fn shortened(name: &str) -> String {
    if name.len() <= MAX_NAME_BYTES {
        return name.to_owned();
    }
    let (_, tail) = name.split_at(name.ceil_char_boundary(name.len() - ".csv.zst".len()));
    let (_, ending) = tail.split_at(tail.find('.').unwrap_or(tail.len()));
    let (beginning, _) = name.split_at(name.floor_char_boundary(MAX_NAME_BYTES - ending.len()));
    format!("{beginning}{ending}")
}

/// An id that a person can read and that sorts by time: `people-20261123-101500-4f1c`.
pub fn new_id(table: &str) -> anyhow::Result<JobId> {
    let allowed = |c: &char| c.is_ascii_alphanumeric() || *c == '_' || *c == '-';
    let table: String = table.chars().filter(allowed).take(18).collect();
    let time = Utc::now().format("%Y%m%d-%H%M%S");
    let random = &uuid::Uuid::new_v4().simple().to_string()[..4];
    let id = format!("{table}-{time}-{random}");
    Ok(id.trim_start_matches('-').parse()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_id_is_valid_whatever_the_table_is_called() {
        for table in ["people", "sales.orders", "顧客", "a_table_with_a_name_that_is_far_too_long_for_an_id"]
        {
            assert!(new_id(table).is_ok(), "{table}");
        }
    }

    #[test]
    fn a_long_name_keeps_its_beginning_and_its_ending() {
        assert_eq!(shortened("顧客マスタ_2026年.csv"), "顧客マスタ_2026年.csv");
        assert_eq!(shortened("顧客マスタ_全件_2026年11月.csv.gz"), "顧客マスタ_全.csv.gz");
        assert_eq!(shortened(&"x".repeat(200)).len(), 28);
        assert!(shortened(&format!("{}.csv", "漢".repeat(80))).len() <= 28);
    }
}
