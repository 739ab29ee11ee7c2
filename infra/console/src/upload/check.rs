//! `/upload/check/<id>`: what a dry run has found, before anything is written, and the button that imports the same object
//! for real. The person's limit of rejects stands in the address, since the dry run itself allows all of them.

mod verdict;

use axum::Router;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use axum::routing::get;
use maud::{Markup, html};
use ops::submit;
use serde::Deserialize;
use statemachine::{FailureName, ImportOptions, JobId, RejectLimit, Source};
use worker::imports::ImportRow;
use worker::ledger::JobStatus;

use super::object::{self, Object};
use super::on_its_way;
use crate::error::PageError;
use crate::fields::Fields;
use crate::layout::{self, Nav};
use crate::notices::NoticeKind;
use crate::state::{Console, Shared};

pub(super) fn routes() -> Router<Shared> {
    Router::new().route("/upload/check/{id}", get(show).post(import))
}

/// The page of a dry run.
pub(super) fn address(id: &JobId, limit: RejectLimit) -> String {
    format!("/upload/check/{id}?max_rejects={}", limit.to_string().replace('%', "%25"))
}

#[derive(Deserialize)]
struct Asked {
    max_rejects: Option<String>,
    fragment: Option<String>,
}

/// A dry run, as its row has it.
struct Check {
    id: JobId,
    row: ImportRow,
    options: ImportOptions,
    source: Source,
    /// How many rejects the import for real may have.
    limit: RejectLimit,
}

/// What has come of a check's button before.
enum Before {
    /// It was not pressed; the import is to have this id.
    Nothing(JobId),
    /// An import that failed: another one is wanted, perhaps with another limit.
    Failed,
    /// An import that is under way, or done.
    Sent(JobId),
}

impl Check {
    async fn of(console: &Console, id: JobId, limit: Option<&str>) -> Result<Self, PageError> {
        let wanted = id.clone();
        let row = console.database(move |connection| worker::imports::find(connection, &wanted)).await?;
        let row = row.ok_or_else(|| PageError::not_found(format!("There is no import {id}.")))?;
        let options: ImportOptions = serde_json::from_str(&row.options).unwrap_or_default();
        let (true, Ok(source)) = (options.dry_run, row.source.parse::<Source>()) else {
            return Err(PageError::bad_request(format!("The import {id} is no check; it was an import.")));
        };
        let limit = limit.map_or(Ok(RejectLimit::default()), str::parse).map_err(PageError::bad_request)?;
        Ok(Self { id, row, options, source, limit })
    }

    fn address(&self) -> String {
        address(&self.id, self.limit)
    }

    /// The form that made this, to be changed.
    fn again(&self) -> String {
        let limit = self.limit.to_string().replace('%', "%25");
        format!("/upload?again={}&max_rejects={limit}", self.id)
    }

    fn file(&self) -> &str {
        object::name_of(&self.source.key)
    }

    /// The id of the import for real: the check's own with one sign more, so that the button imports once, however often it is
    /// pressed.
    fn import_id(&self) -> anyhow::Result<JobId> {
        format!("{}i", self.id).parse().or_else(|_| submit::new_id(&self.row.table_name))
    }

    /// What has come of the button before.
    async fn imported_before(&self, console: &Console) -> anyhow::Result<Before> {
        let id = self.import_id()?;
        let wanted = id.clone();
        let row = console.database(move |connection| worker::imports::find(connection, &wanted)).await?;
        Ok(match row.map(|row| row.status) {
            None => Before::Nothing(id),
            Some(JobStatus::Failure) => Before::Failed,
            Some(JobStatus::Pending | JobStatus::Running | JobStatus::Success) => Before::Sent(id),
        })
    }

    /// Whether it goes on by itself.
    fn moves(&self) -> bool {
        match self.row.status {
            JobStatus::Pending | JobStatus::Running => true,
            JobStatus::Success => false,
            JobStatus::Failure => {
                let error = self.row.error.as_deref();
                FailureName::ALL.iter().any(|name| Some(name.as_str()) == error && name.is_transient())
            }
        }
    }
}

async fn show(
    State(console): State<Shared>,
    Path(id): Path<JobId>,
    Query(asked): Query<Asked>,
) -> Result<Markup, PageError> {
    let check = Check::of(&console, id, asked.max_rejects.as_deref()).await?;
    let address = format!("{}&fragment=check", check.address());
    let body = if check.moves() { under_way(&check) } else { verdict::render(&console, &check) };
    let live = layout::live("check", &address, check.moves(), body);
    if asked.fragment.is_some() {
        return Ok(live);
    }
    let body = html! {
        h1 { "Check of " (layout::text(check.file())) }
        p.quiet { "Into the table " strong { (layout::text(&check.row.table_name)) } ". Nothing has been written." }
        (live)
    };
    Ok(layout::page(&console.foot(), "Check", Nav::Upload, body))
}

fn under_way(check: &Check) -> Markup {
    html! {
        section.panel {
            @match check.row.status {
                JobStatus::Running => (layout::import_progress(&check.row)),
                JobStatus::Failure => {
                    p { "It is tried again after " (layout::text(check.row.error.as_deref().unwrap_or("a failure"))) "." }
                },
                _ => (layout::progress("Check", 0, 0, "Waits for a worker")),
            }
        }
    }
}

/// Imports for real what was checked.
async fn import(
    State(console): State<Shared>,
    Path(id): Path<JobId>,
    fields: Fields,
) -> Result<Response, PageError> {
    let check = Check::of(&console, id, fields.get("max_rejects")).await?;
    let import_id = match check.imported_before(&console).await? {
        Before::Nothing(id) => id,
        Before::Failed => submit::new_id(&check.row.table_name)?,
        // The button was pressed before.
        Before::Sent(id) => {
            let says = format!("{} was sent before, as {id}; nothing was sent now.", check.file());
            return Ok(console.notices.redirect(&format!("/imports/{id}"), NoticeKind::Done, vec![says]));
        }
    };
    let mut wanted = Fields::default();
    wanted.push("object", check.source.key.clone());
    let Ok(object) = Object::of(&console.target, &wanted).await? else {
        return Err(PageError::not_found(format!("The file {} is no longer in S3.", check.source)));
    };
    let options = ImportOptions { dry_run: false, max_rejects: check.limit, ..check.options };
    let made = console.made_tables.take(&check.id);
    super::send(&console, &import_id, &object, check.row.table_name, options, made).await?;
    Ok(on_its_way(&console, &import_id, object.name()))
}
