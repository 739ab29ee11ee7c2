//! A table for a file that has none yet. A check writes nothing, so it asks before it makes one.

use std::pin::Pin;

use anyhow::Context as _;
use maud::{Markup, html};
use ops::error::of_aws;
use tokio::io::AsyncRead;
use tokio_util::io::SyncIoBridge;
use worker::import::create_table::{self, Made};

use super::object::{self, Object};
use crate::fields::Fields;
use crate::layout::{self, Nav};
use crate::options::{Problem, Wanted};
use crate::state::Console;

/// What became of a table that may be missing.
pub(super) enum Missing {
    /// It is there.
    No,
    /// It was missing, and has been made.
    Made(Made),
    /// It is missing, and this statement would make it.
    Needs(String),
}

/// Looks whether the table is missing, and makes it from all of the file if `make` holds.
pub(super) async fn missing(
    console: &Console,
    object: &Object,
    wanted: &Wanted,
    make: bool,
) -> anyhow::Result<Result<Missing, Problem>> {
    let source = object.source();
    let get = console.target.s3.get_object().bucket(&source.bucket).key(&source.key).send().await;
    let body = get.map_err(of_aws).with_context(|| format!("failed to read {source}"))?.body;
    let file: Pin<Box<dyn AsyncRead + Send>> = Box::pin(body.into_async_read());
    let file = SyncIoBridge::new(file);
    let (database, table) = (console.target.database.clone(), wanted.table.clone());
    let options = wanted.options.clone();
    let infer = move || match make {
        true => create_table::create_missing(&database, &table, file, &options)
            .map(|made| made.map_or(Missing::No, Missing::Made)),
        false => create_table::infer_missing(&database, &table, file, &options)
            .map(|needed| needed.map_or(Missing::No, Missing::Needs)),
    };
    let inferred = tokio::task::spawn_blocking(infer).await.context("failed to look at the file")?;
    Ok(inferred.map_err(|refusal| Problem::of("create_table", refusal.to_string())))
}

/// Asks whether the table is to be made before the check.
pub(super) fn ask(console: &Console, fields: &Fields, statement: &str) -> Markup {
    let table = fields.get("table").unwrap_or_default();
    let file = object::name_of(fields.get("object").unwrap_or_default());
    let sent = fields.pairs().filter(|(name, _)| !matches!(*name, "csrf" | "do" | "make"));
    let body = html! {
        h1 { "Make the table " (layout::text(table)) "?" }
        section.meaning {
            p {
                "There is no table " strong { (layout::text(table)) } " yet, and a file is checked against its table. \
                 This one is made from the header of " (layout::text(file)) " and all of its rows:"
            }
            pre.statement { code { (layout::text(statement)) } }
            p { "The check itself writes nothing: the table stays empty." }
        }
        form.actions method="post" action="/upload" {
            (console.guard.csrf_field())
            @for (name, value) in sent { input type="hidden" name=(name) value=(value); }
            input type="hidden" name="do" value="check";
            input type="hidden" name="make" value="yes";
            button.primary type="submit" { "Make it, and check the file" }
            a.button href="/upload" { "Leave it" }
        }
    };
    layout::page(&console.foot(), "Make the table?", Nav::Upload, body)
}
