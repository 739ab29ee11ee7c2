//! The rejects file to be had: for a spreadsheet, or byte by byte. Both go through without being held.

mod spreadsheet;

use std::io::BufWriter;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use anyhow::Context as _;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use ops::rejects::file::{Format, Object};
use ops::rejects::gone;
use ops::show::picture::ImportPicture;
use tokio::io::{AsyncRead, DuplexStream, ReadBuf};
use tokio::task::JoinHandle;
use tokio_util::io::{ReaderStream, SyncIoBridge};

use super::parse;
use crate::error::PageError;
use crate::state::Shared;
use spreadsheet::Spreadsheet;

/// What is under way between the rows and the browser, in bytes.
const UNDER_WAY: usize = 64 * 1024;

/// The rejects in UTF-8, safe for a spreadsheet.
pub(super) async fn spreadsheet(
    State(console): State<Shared>,
    Path(id): Path<String>,
) -> Result<Response, PageError> {
    let (object, format) = open(&console, &id).await?;
    let (reader, writer) = tokio::io::duplex(UNDER_WAY);
    // Nothing is written here, where it would block.
    let sheet = Spreadsheet::new(BufWriter::with_capacity(UNDER_WAY / 4, SyncIoBridge::new(writer)))?;
    let writing = tokio::spawn(async move {
        let sheet = object.read(format, sheet).await?;
        tokio::task::spawn_blocking(move || sheet.end()).await.context("the last rows were not written")?
    });
    let body = Body::from_stream(ReaderStream::new(Whole { reader, writing }));
    Ok(attachment(body, "text/csv; charset=utf-8", &format!("{id}-rejects.csv"), None))
}

/// The rejects file as it is.
pub(super) async fn original(
    State(console): State<Shared>,
    Path(id): Path<String>,
) -> Result<Response, PageError> {
    let (object, _) = open(&console, &id).await?;
    let size = object.size;
    let body = Body::from_stream(ReaderStream::with_capacity(object.into_bytes(), UNDER_WAY));
    Ok(attachment(body, "application/octet-stream", &format!("{id}-rejects-original.csv"), size))
}

async fn open(console: &Shared, id: &str) -> Result<(Object, Format), PageError> {
    let id = parse(id)?;
    let found = id.clone();
    let row = console.database(move |connection| worker::imports::find(connection, &found)).await?;
    let row = row.ok_or_else(|| PageError::not_found(format!("There is no import {id}.")))?;
    let options = serde_json::from_str(&row.options).unwrap_or_default();
    let import = ImportPicture::from(row);
    let findings = import.findings.clone().unwrap_or_default();
    let Some(file) = &findings.rejects_file else {
        return Err(PageError::not_found(format!("The import {id} has no rejects file.")));
    };
    let object = Object::open(&console.target, &file.source).await?;
    let object = object.ok_or_else(|| PageError::not_found(gone(&import, &file.source)))?;
    Ok((object, Format::new(&findings, &options)))
}

/// An id has no character that a header would need to have escaped.
fn attachment(body: Body, kind: &'static str, name: &str, size: Option<i64>) -> Response {
    let headers = [
        (header::CONTENT_TYPE, kind.to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned()),
    ];
    let size = size.map(|size| [(header::CONTENT_LENGTH, size.to_string())]);
    match size {
        Some(size) => (size, headers, body).into_response(),
        None => (headers, body).into_response(),
    }
}

/// What is written by a task of its own. Where that fails the answer breaks off: half a file must not pass for the whole.
struct Whole {
    reader: DuplexStream,
    writing: JoinHandle<anyhow::Result<()>>,
}

impl AsyncRead for Whole {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.reader).poll_read(context, buffer))?;
        if buffer.filled().len() > before {
            return Poll::Ready(Ok(()));
        }
        match ready!(Pin::new(&mut self.writing).poll(context)) {
            Ok(Ok(())) => Poll::Ready(Ok(())),
            Ok(Err(error)) => Poll::Ready(Err(std::io::Error::other(format!("{error:#}")))),
            Err(error) => Poll::Ready(Err(std::io::Error::other(error))),
        }
    }
}
