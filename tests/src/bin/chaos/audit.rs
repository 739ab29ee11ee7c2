//! What must be true when everything is at rest, asked of the database, the queues, the executions, the system and the
//! logs themselves. Each sentence that comes out is something that Baton promises not to do.

mod values;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::Duration;

use aws_sdk_sfn::types::{ExecutionListItem, ExecutionStatus};
use aws_sdk_sqs::types::Message;
use e2e::{secrets, wait};
use statemachine::ExecutionName;
use worker::imports::{ImportRow, search};
use worker::ledger::{JobStatus, Search};

use crate::plan::{Import, Kind};
use crate::tables;
use crate::world::World;

/// How long a process that was killed may take to go.
const LAST_BREATH: Duration = Duration::from_secs(45);

/// The rows, the imports and the messages.
pub(crate) async fn of_running(world: &World, imports: &[Import], letters: &[Message]) -> Vec<String> {
    let registered = registered(world);
    let moved = moved_beside_a_redrive(world).await;
    tables::index(&world.database);
    let mut findings = Vec::new();
    for import in imports {
        let row = registered.get(import.id.as_str());
        let status = row.map(|row| row.status);
        let mut find = |what: String| {
            findings.push(format!("{} ({:?}, {} rows): {what}", import.id, import.kind, import.rows))
        };
        values::findings(&world.database, import, row).into_iter().for_each(&mut find);
        match status {
            Some(JobStatus::Success) if !import.is_good() => find("it succeeded, and cannot".to_owned()),
            Some(JobStatus::Success) => {}
            _ if import.is_good() => find(format!("it is lost: its status is {status:?}, all was redriven")),
            Some(JobStatus::Running | JobStatus::Pending) => find(format!("nobody ended it: {status:?}")),
            None if import.kind != Kind::Noise => find("nobody claimed it".to_owned()),
            Some(JobStatus::Failure) | None => {
                let failure = row.and_then(|row| row.error.as_deref());
                if failure != import.failure().filter(|_| row.is_some()) {
                    find(format!("it failed as {failure:?}"));
                }
                if let Err(problem) = is_explained(import, letters)
                    && !moved.contains(import.id.as_str())
                {
                    find(problem);
                }
            }
        }
    }
    findings
}

/// The imports whose dead letter somebody has moved back while somebody else had redriven its execution: the moved message found
/// that one at work, and was deleted as a duplicate. When it fails again, nothing copies it a second time: the execution tells why,
/// and can be redriven.
async fn moved_beside_a_redrive(world: &World) -> HashSet<String> {
    let machine = &world.resources.import_state_machine_arn;
    let of = async |status| {
        let executions = world.executions(machine, Some(status)).await.expect("the stack answers");
        let is_meant = |one: &ExecutionListItem| match one.status {
            ExecutionStatus::Failed => one.redrive_count > Some(0),
            _ => true,
        };
        let names = executions.into_iter().filter(is_meant).map(|one| one.name);
        names.filter_map(|name| ExecutionName::import_id_in(&name).map(str::to_owned)).collect::<HashSet<_>>()
    };
    let (redriven, duplicates) = (of(ExecutionStatus::Failed).await, of(ExecutionStatus::Succeeded).await);
    redriven.intersection(&duplicates).cloned().collect()
}

/// Whether a dead letter tells why the import failed. The queue's own redrive policy, which acts where an event was lost,
/// gives no reason: the execution has it.
fn is_explained(import: &Import, letters: &[Message]) -> Result<(), String> {
    let asks_for_it = |letter: &&Message| {
        let body = letter.body().unwrap_or_default();
        let text =
            if import.kind == Kind::Noise { format!("{} ", import.id) } else { format!("\"{}\"", import.id) };
        body.contains(&text)
    };
    let mine: Vec<_> = letters.iter().filter(asks_for_it).collect();
    if mine.is_empty() {
        return Err("no dead letter tells of it".to_owned());
    }
    for letter in mine {
        let attribute = |name: &str| {
            letter.message_attributes().and_then(|all| all.get(name)).and_then(|value| value.string_value())
        };
        let has_reason = attribute("Cause").is_some_and(|cause| !cause.is_empty());
        if attribute("Error").is_some() && !has_reason {
            return Err("a dead letter has an error and no cause".to_owned());
        }
        // Somebody may have redriven the execution before its message was copied.
        if let Some(error @ ("States.RUNNING" | "States.SUCCEEDED" | "States.")) = attribute("Error") {
            return Err(format!("a dead letter says {error}, which is no end of a failed execution"));
        }
    }
    Ok(())
}

/// How many imports ended how.
pub(crate) fn ends(world: &World) -> BTreeMap<String, usize> {
    let mut ends = BTreeMap::new();
    for row in registered(world).into_values() {
        let end = row.error.unwrap_or_else(|| row.status.as_str().to_owned());
        *ends.entry(end).or_default() += 1;
    }
    ends
}

fn registered(world: &World) -> HashMap<String, ImportRow> {
    let mut connection = world.database.connect().expect("the database is there");
    let all = Search { limit: u32::MAX, ..Search::default() };
    let found = search(&mut connection, &all).expect("the imports can be listed");
    found.rows.into_iter().map(|row| (row.id.clone(), row)).collect()
}

/// The processes and the logs, once the stack has stopped.
pub(crate) async fn of_stopped(world: &World) -> Vec<String> {
    let look = async || world.workers().len() + world.functions().len();
    let left = wait::within(LAST_BREATH, look, |count| *count == 0).await;
    let mut findings: Vec<_> =
        left.err().map(|count| format!("{count} processes are left over")).into_iter().collect();
    let urls: Vec<&str> = world.database_urls.iter().map(String::as_str).collect();
    let data = world.dir.join("data");
    findings.extend(secrets::find(&data.join("stack/logs"), &urls));
    findings.extend(secrets::find(&data.with_extension("log"), &urls));
    findings
}
