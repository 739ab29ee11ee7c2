//! `/upload`: a file from the browser, into S3 as it comes, and then through the queue like any other. First as a dry run,
//! unless the person wants it otherwise: [`check`] shows what would be rejected before anything is written, and imports for
//! real the object that is in S3 already.

mod again;
mod check;
mod form;
mod make_table;
mod object;
mod receive;
mod watch;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Query, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::get;
use maud::{Markup, html};
use ops::submit;
use serde::Deserialize;
use statemachine::{ImportOptions, JobId, RejectLimit};
use worker::import::create_table::Made;
use worker::imports::NewImport;

use crate::error::PageError;
use crate::fields::Fields;
use crate::layout::{self, Nav};
use crate::notices::NoticeKind;
use crate::options::{Problem, Wanted};
use crate::returned_forms::WhyNoImport;
use crate::state::{Console, Shared};
use make_table::Missing;
use object::Object;
use receive::Received;

/// Every row may be rejected: a dry run is to tell all of them, not to fail at the first.
const ANY: RejectLimit = RejectLimit::Share { basis_points: 10_000 };

pub(super) fn routes() -> Router<Shared> {
    Router::new()
        // The file is counted as it comes, by `receive`.
        .route("/upload", get(ask).post(take).layer(DefaultBodyLimit::disable()))
        .merge(check::routes())
}

#[derive(Deserialize)]
struct Asked {
    /// A form that was sent, and did not lead to an import.
    sent: Option<String>,
    /// An earlier import, whose file and options are taken again.
    again: Option<JobId>,
    /// Values of fields that differ from those of the earlier import, or from their defaults.
    table: Option<String>,
    max_rejects: Option<String>,
}

async fn ask(State(console): State<Shared>, Query(asked): Query<Asked>) -> Result<Markup, PageError> {
    if console.target.is_at_rest {
        return Ok(layout::page(
            &console.foot(),
            "Upload",
            Nav::Upload,
            html! { h1 { "Upload" } (nothing_moves(&console)) },
        ));
    }
    if let Some(form) = asked.sent.and_then(|id| console.returned_forms.get(id.parse().ok()?)) {
        return match &form.why {
            WhyNoImport::Problems(problems) => page(&console, &form.fields, problems).await,
            WhyNoImport::NoTable(statement) => Ok(make_table::ask(&console, &form.fields, statement)),
        };
    }
    let mut fields = match &asked.again {
        Some(id) => again::fields(&console, id).await?,
        None => Fields::default(),
    };
    for (name, value) in [("table", asked.table), ("max_rejects", asked.max_rejects)] {
        if let Some(value) = value {
            fields.set(name, value);
        }
    }
    page(&console, &fields, &[]).await
}

/// The form, filled with what was sent before.
async fn page(console: &Console, fields: &Fields, problems: &[Problem]) -> Result<Markup, PageError> {
    let tables = console.database(worker::import::writable_tables).await?;
    let body = form::render(&console.form.options, console.guard.csrf_token(), fields, &tables, problems);
    Ok(layout::page(&console.foot(), "Upload", Nav::Upload, body))
}

/// Takes the file and the options, in whatever order the form has them. What follows is a page of its own in any case, so
/// that nothing is sent twice.
async fn take(State(console): State<Shared>, received: Received) -> Result<Response, PageError> {
    let fields = received.fields;
    let (object, wanted) = (Object::of(&console.target, &fields).await?, (console.form.read)(&fields));
    let why = match (object, wanted) {
        (Ok(object), Ok(wanted)) => match start(&console, &fields, &object, wanted).await? {
            Ok(response) => return Ok(response),
            Err(why) => why,
        },
        (object, wanted) => {
            let problems = object.err().into_iter().chain(wanted.err().into_iter().flatten());
            WhyNoImport::Problems(problems.collect())
        }
    };
    let id = console.returned_forms.keep(fields, why);
    Ok(Redirect::to(&format!("/upload?sent={id}")).into_response())
}

/// Checks the object, or imports it.
async fn start(
    console: &Shared,
    fields: &Fields,
    object: &Object,
    wanted: Wanted,
) -> anyhow::Result<Result<Response, WhyNoImport>> {
    let is_check = fields.get("do") != Some("import");
    let mut made = None;
    if wanted.create_table {
        let is_agreed = !is_check || fields.get("make") == Some("yes");
        match make_table::missing(console, object, &wanted, is_agreed).await? {
            Err(problem) => return Ok(Err(WhyNoImport::Problems(vec![problem]))),
            Ok(Missing::Needs(statement)) => return Ok(Err(WhyNoImport::NoTable(statement))),
            Ok(Missing::Made(table)) => made = Some(table),
            Ok(Missing::No) => {}
        }
    }
    if is_check {
        let limit = wanted.options.max_rejects;
        let options = ImportOptions { dry_run: true, max_rejects: ANY, ..wanted.options };
        let id = submit::new_id(&wanted.table)?;
        send(console, &id, object, wanted.table, options, made).await?;
        return Ok(Ok(Redirect::to(&check::address(&id, limit)).into_response()));
    }
    let id = submit::new_id(&wanted.table)?;
    send(console, &id, object, wanted.table, wanted.options, made).await?;
    Ok(Ok(on_its_way(console, &id, object.name())))
}

/// Registers an import of the object, and sends its message. `made` is the table that was made for it.
async fn send(
    console: &Shared,
    import_id: &JobId,
    object: &Object,
    table: String,
    options: ImportOptions,
    made: Option<Made>,
) -> anyhow::Result<()> {
    let source = object.source().clone();
    let import = NewImport { import_id: import_id.clone(), source, version_id: None, table, options };
    match submit::start(&console.target, import, console.say).await {
        Ok(submitted) => {
            watch::watch(console, made, submitted);
            Ok(())
        }
        Err(error) => {
            submit::undo(&console.target, made, import_id, console.say).await;
            Err(error)
        }
    }
}

fn on_its_way(console: &Console, id: &JobId, name: &str) -> Response {
    console.notices.redirect(
        &format!("/imports/{id}"),
        NoticeKind::Done,
        vec![format!("{name} is on its way as {id}.")],
    )
}

fn nothing_moves(console: &Console) -> Markup {
    layout::empty(
        "No stack is up",
        html! {
            "Imports move while " code { (layout::text(&console.command_line("up"))) }
            " runs: end this console, start that, and upload in the console that it has."
        },
    )
}
