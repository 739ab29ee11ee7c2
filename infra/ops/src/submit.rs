//! `baton submit`: puts a file into S3, writes the import's row, sends the message.

mod before;
mod content;
mod interrupted;
mod upload;

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::process::ExitCode;

use anyhow::Context as _;
use chrono::Utc;
use serde_json::json;
use statemachine::{ImportId, ImportOptions, Source};
use tokio_util::sync::CancellationToken;
use worker::import::create_table::{self, Made};
use worker::imports::{self, ImportRow, NewImport, Registered};

use crate::cli::{Common, FileArguments, SubmitArguments};
use crate::error::{Usage, of_aws};
use crate::run::unfinished;
use crate::signals::Signals;
use crate::target::Target;
use crate::{follow, output, report};
use before::Before;
pub(crate) use before::report_done_before;
pub(crate) use interrupted::Interrupted;
use interrupted::Left;
use upload::upload;

/// The most that S3 takes in one PutObject, in bytes; the console takes no more either.
pub(crate) const MAX_PUT_BYTES: u64 = 5 * 1024 * 1024 * 1024;

/// The longest name of a file that is kept in its object's key. The rejects file's key is this key, the import's id once
/// more and the attempt's number, and the embedded stack takes keys of 130 bytes.
const MAX_NAME_BYTES: usize = 28;

/// An import on its way.
pub(crate) struct Submitted {
    pub(crate) import_id: ImportId,
    /// The execution that the message will start: its name is known before it runs.
    pub(crate) execution_arn: String,
    /// The table that was made for it.
    pub(crate) made: Option<Made>,
    /// Whether its message was sent now; it was under way already where not.
    pub(crate) is_sent: bool,
}

/// What came of a file that was to be imported.
pub(crate) enum Sending {
    /// Its import is on its way.
    Submitted(Submitted),
    /// It was imported before, under the same id; nothing was done now.
    Done(Box<ImportRow>),
}

pub(crate) async fn submit(common: &Common, arguments: &SubmitArguments) -> anyhow::Result<ExitCode> {
    check(&arguments.file)?;
    let mut signals = Signals::listen()?;
    let target = Target::of_running_stack(common).await?;
    target.say_where();
    let stop = CancellationToken::new();
    let id = id(&arguments.file)?;
    let sending = send(common, &target, &id, &arguments.file, &stop);
    let submitted = match signals.heard_within(&stop, Box::pin(sending)).await? {
        Sending::Submitted(submitted) => submitted,
        Sending::Done(row) if arguments.follow => return report_done_before(common, &target, &row).await,
        Sending::Done(row) => return before::tell(common, &row),
    };
    if arguments.follow {
        return tokio::select! {
            ended = follow::to_the_end(common, &target, &submitted) => ended,
            () = signals.received() => {
                Err(unfinished::interruption(common, &target, &submitted, &mut signals).await)
            }
        };
    }
    if submitted.made.is_some() {
        output::complain("the table stays if the import fails; `--follow` would drop it then");
    }
    if common.json {
        output::json(&json!({
            "import_id": submitted.import_id,
            "execution_arn": submitted.execution_arn,
            "sent": submitted.is_sent,
        }))?;
    } else {
        output::line(submitted.import_id.as_str());
        let show = report::command(common, "show", submitted.import_id.as_str());
        let done = if submitted.is_sent { "submitted" } else { "nothing was sent" };
        output::complain(&format!("{done}; `{show}` tells how it goes"));
    }
    Ok(ExitCode::SUCCESS)
}

/// Sends one file through the queue of the target. A table that was made for it goes again where that fails.
async fn send(
    common: &Common,
    target: &Target,
    import_id: &ImportId,
    arguments: &FileArguments,
    stop: &CancellationToken,
) -> anyhow::Result<Sending> {
    let made = match prepare(common, target, import_id, arguments, stop).await? {
        Prepared::ToBeAsked(made) => made,
        Prepared::Settled(sending) => return Ok(sending),
    };
    match ask(target, import_id).await {
        Ok(execution_arn) => Ok(Sending::of(import_id, execution_arn, made)),
        Err(error) => {
            undo(target, made, import_id).await;
            Err(error)
        }
    }
}

impl Sending {
    /// The message of the import was sent, and will start this execution.
    pub(crate) fn of(import_id: &ImportId, execution_arn: String, made: Option<Made>) -> Self {
        Self::Submitted(Submitted { import_id: import_id.clone(), execution_arn, made, is_sent: true })
    }
}

/// How far an import is once its file is where an import takes it.
pub(crate) enum Prepared {
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
pub(crate) async fn prepare(
    common: &Common,
    target: &Target,
    import_id: &ImportId,
    arguments: &FileArguments,
    stop: &CancellationToken,
) -> anyhow::Result<Prepared> {
    let options = arguments.options()?;
    let import = NewImport {
        import_id: import_id.clone(),
        source: source_of(target, import_id, &arguments.file),
        version_id: None,
        table: arguments.table.clone(),
        options,
    };
    let before = tokio::select! {
        before = before::look(common, target, &import, &arguments.file) => before?,
        () = stop.cancelled() => return Err(Interrupted(Left::AsBefore).into()),
    };
    let is_new = matches!(before, Before::New);
    if let Some(settled) = before.settled(import_id) {
        return Ok(Prepared::Settled(settled));
    }
    let made = match arguments.create_table {
        true => create_missing_table(target, arguments, &import.options, stop).await?,
        false => None,
    };
    let brought = async {
        let uploaded = is_new && upload(target, &import.source, &arguments.file, stop).await?;
        register_or_delete(target, &import, uploaded, stop).await
    };
    match brought.await {
        Ok(()) => Ok(Prepared::ToBeAsked(made)),
        Err(error) => {
            undo(target, made, import_id).await;
            Err(before::or_registered_otherwise(common, target, &import, error))
        }
    }
}

/// Registers an import. Its file goes again where it was `uploaded` for that and `stop` was cancelled before.
async fn register_or_delete(
    target: &Target,
    import: &NewImport,
    uploaded: bool,
    stop: &CancellationToken,
) -> anyhow::Result<()> {
    if register(target, import, stop).await? == Registered::Yes {
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
pub(crate) async fn undo(target: &Target, made: Option<Made>, import_id: &ImportId) {
    let Some(made) = made else { return };
    let (database, import_id, table) = (target.database.clone(), import_id.clone(), made.table().to_owned());
    let undone = tokio::task::spawn_blocking(move || made.undo(&database, &import_id)).await;
    output::complain(&match undone {
        Ok(Ok(None)) => format!(
            "dropped the table {table}, which was made for this import; it has to be there again before the import is run again"
        ),
        Ok(Ok(Some(kept))) => format!("the table {table}, which was made for this import, stays: {kept}"),
        Ok(Err(failure)) => {
            format!("the table {table}, which was made for this import, stays: {failure}; drop it by hand")
        }
        Err(error) => format!("the table {table}, which was made for this import, may be left: {error}"),
    });
}

/// Registers an import whose file is in S3, and sends the message that asks for it.
pub(crate) async fn start(target: &Target, import: NewImport) -> anyhow::Result<Submitted> {
    register(target, &import, &CancellationToken::new()).await?;
    let execution_arn = ask(target, &import.import_id).await?;
    Ok(Submitted { import_id: import.import_id, execution_arn, made: None, is_sent: true })
}

/// Sends the message that asks for an import. Returns the execution that it will start.
pub(crate) async fn ask(target: &Target, import_id: &ImportId) -> anyhow::Result<String> {
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
) -> anyhow::Result<Registered> {
    let mut has_said = false;
    while !stop.is_cancelled() {
        let (database, import) = (target.database.clone(), import.clone());
        let register = move || {
            let mut connection = database.connect()?;
            imports::wait_briefly(&mut connection)?;
            imports::register(&mut connection, &import)
        };
        let registered =
            tokio::task::spawn_blocking(register).await.context("failed to register the import")??;
        if registered == Registered::Yes {
            return Ok(registered);
        }
        if !has_said {
            output::complain("waiting for the database: another import or program writes into it");
            has_said = true;
        }
    }
    Ok(Registered::Busy)
}

/// Says what is wrong with the command line and its file before anything is started for it.
pub(crate) fn check(arguments: &FileArguments) -> anyhow::Result<()> {
    arguments.options()?;
    let path = &arguments.file;
    let metadata =
        std::fs::metadata(path).map_err(|error| Usage(format!("cannot read {}: {error}", path.display())))?;
    if metadata.is_dir() {
        return Err(Usage(format!("{} is a directory; name a CSV file in it", path.display())).into());
    }
    if !metadata.is_file() {
        return Err(
            Usage(format!("{} is a pipe or a device; save it as a file first", path.display())).into()
        );
    }
    if metadata.len() > MAX_PUT_BYTES {
        let size = output::bytes(metadata.len());
        return Err(Usage(format!(
            "{} has {size}, more than S3 takes in one request: upload it in parts (`aws s3 cp`) under imports/<table>/",
            path.display()
        ))
        .into());
    }
    File::open(path).map_err(|error| Usage(format!("cannot read {}: {error}", path.display())))?;
    Ok(())
}

/// Makes the table that is missing. Where `stop` is cancelled the file is read no further, and no table is made.
async fn create_missing_table(
    target: &Target,
    arguments: &FileArguments,
    options: &ImportOptions,
    stop: &CancellationToken,
) -> anyhow::Result<Option<Made>> {
    let path = &arguments.file;
    let file = File::open(path).with_context(|| format!("failed to open {}", path.display()))?;
    let file = UntilStopped { file, stop: stop.clone() };
    let (database, table, options) = (target.database.clone(), arguments.table.clone(), options.clone());
    let create = move || create_table::create_missing(&database, &table, file, &options);
    let created = tokio::task::spawn_blocking(create).await.context("failed to look at the file")?;
    if created.is_err() && stop.is_cancelled() {
        return Err(Interrupted(Left::AsBefore).into());
    }
    let created = created
        .with_context(|| format!("failed to make the table {} from {}", arguments.table, path.display()))?;
    if let Some(made) = &created {
        output::complain(&format!("made the missing table:\n{}", made.statement()));
    }
    Ok(created)
}

/// A file that cannot be read any more once `stop` is cancelled.
struct UntilStopped {
    file: File,
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
fn source_of(target: &Target, import_id: &ImportId, path: &Path) -> Source {
    let name = path.file_name().map_or_else(|| "file.csv".into(), |name| name.to_string_lossy().into_owned());
    Source { bucket: target.resources.bucket.clone(), key: object_key(import_id, &name) }
}

/// The key of a file that is put into S3 for an import, or for several: `id` keeps files of one name apart.
pub(crate) fn object_key(id: &ImportId, name: &str) -> String {
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

/// The import's id: the one that was asked for, or a new one.
pub(crate) fn id(arguments: &FileArguments) -> anyhow::Result<ImportId> {
    arguments.id.clone().map_or_else(|| new_id(&arguments.table), Ok)
}

/// An id that a person can read and that sorts by time: `people-20261123-101500-4f1c`.
pub(crate) fn new_id(table: &str) -> anyhow::Result<ImportId> {
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
