//! Searching the jobs, newest first, a page at a time. A page begins where the one before ended, not at a number of
//! rows: what is registered meanwhile neither repeats nor hides a job, and a late page costs as little as the first. What
//! no index finds is looked for among a bounded number of jobs at a time.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, NaiveDateTime};
use diesel::prelude::*;
use diesel::sql_types::{SingleValue, SqlType};
use statemachine::Kind;

use super::{JobRow, JobStatus, renew};
use crate::db::schema::jobs;
use crate::db::{Connection, unavailable};
use crate::failure::Failure;

diesel::define_sql_function! {
    /// Both databases' own.
    fn lower<T: SqlType + SingleValue>(text: T) -> T;
}

/// How many jobs one search for a text reads at the most, so that it takes a second rather than a minute. The next page
/// goes on from there.
pub const LOOKED_AT: u16 = 20_000;

/// What is looked for. By default: the newest of all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Search {
    /// Of this status only.
    pub status: Option<JobStatus>,
    /// Of this kind only.
    pub kind: Option<Kind>,
    /// About this only: an import's table, by its name as it was registered.
    pub subject: Option<String>,
    /// With this in its `s3://bucket/key`, in upper or lower case.
    pub file: Option<String>,
    /// Whose last attempt failed with this name.
    pub error: Option<String>,
    /// Registered at this time or later, UTC.
    pub since: Option<NaiveDateTime>,
    /// Registered before this time, UTC.
    pub until: Option<NaiveDateTime>,
    /// With this in its id, object, subject, error or cause, in upper or lower case.
    pub text: Option<String>,
    /// The most jobs on a page.
    pub limit: u32,
    /// Behind this one: [`Page::next`] of the page before.
    pub after: Option<Position>,
}

impl Default for Search {
    fn default() -> Self {
        Self {
            status: None,
            kind: None,
            subject: None,
            file: None,
            error: None,
            since: None,
            until: None,
            text: None,
            limit: 50,
            after: None,
        }
    }
}

/// The place of a job among all. As text it can stand in a URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Position {
    /// When the job was registered, UTC.
    pub created_at: NaiveDateTime,
    /// Its id.
    pub id: String,
}

/// Some of what was looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T> {
    /// The newest first.
    pub rows: Vec<T>,
    /// Where the next page begins; `None` where this is the last.
    pub next: Option<Position>,
    /// The page is not full, and yet not the last: [`LOOKED_AT`] jobs were read for it, and the rest is left to the next.
    pub is_broken_off: bool,
}

/// The jobs that are looked for, newest first, with their progress as of now. Status, kind, subject, error and time each have an
/// index; `file` and `text` read one job after the other, newest first, until the page is full or [`LOOKED_AT`] were read.
///
/// # Errors
/// `Import.DatabaseUnavailable`.
pub fn search(connection: &mut Connection, search: &Search) -> Result<Page<JobRow>, Failure> {
    let failed = |error| unavailable("search the jobs", &error);
    let reads_rows = search.file.is_some() || search.text.is_some();
    let bound = if reads_rows { bound(connection, search).map_err(failed)? } else { None };
    let pattern = search.text.as_deref().map(containing);
    let mut query = indexed(jobs::table.select(JobRow::as_select()).into_boxed(), search);
    if let Some(file) = &search.file {
        query = query.filter(lower(jobs::source).like(lower(containing(file))).escape(ESCAPE));
    }
    if let Some(pattern) = &pattern {
        query = query.filter(
            lower(jobs::id)
                .like(lower(pattern))
                .escape(ESCAPE)
                .or(lower(jobs::source).like(lower(pattern)).escape(ESCAPE))
                .or(lower(jobs::subject).like(lower(pattern)).escape(ESCAPE))
                .or(lower(jobs::error).like(lower(pattern)).escape(ESCAPE))
                .or(lower(jobs::cause).like(lower(pattern)).escape(ESCAPE)),
        );
    }
    if let Some(Position { created_at, id }) = &bound {
        let same_time = jobs::created_at.eq(created_at).and(jobs::id.le(id));
        query = query
            .filter(jobs::created_at.ge(created_at))
            .filter(jobs::created_at.gt(created_at).or(same_time));
    }
    let loaded = query
        .order((jobs::created_at.desc(), jobs::id.asc()))
        // One more tells whether there is another page.
        .limit(i64::from(search.limit) + 1)
        .load(connection);
    let mut rows: Vec<JobRow> = loaded.map_err(failed)?;
    let size = usize::try_from(search.limit).unwrap_or(usize::MAX);
    let has_more = rows.len() > size;
    rows.truncate(size);
    renew::merge_progress(connection, &mut rows);
    let is_broken_off = !has_more && bound.is_some();
    let next = if has_more { rows.last().map(Position::of) } else { bound };
    Ok(Page { rows, next, is_broken_off })
}

/// The last of the jobs that are read for this page; `None` where there are no more than those.
fn bound(connection: &mut Connection, search: &Search) -> QueryResult<Option<Position>> {
    let query = indexed(jobs::table.select((jobs::created_at, jobs::id)).into_boxed(), search);
    let query = query
        .order((jobs::created_at.desc(), jobs::id.asc()))
        .offset(i64::from(LOOKED_AT) - 1)
        // One more tells whether there is anything left.
        .limit(2);
    let mut last = query.load::<(NaiveDateTime, String)>(connection)?.into_iter();
    let (bound, more) = (last.next(), last.next());
    Ok(bound.filter(|_| more.is_some()).map(|(created_at, id)| Position { created_at, id }))
}

type Backend = <Connection as diesel::Connection>::Backend;

/// What an index finds.
fn indexed<'a, T>(
    mut query: jobs::BoxedQuery<'a, Backend, T>,
    search: &'a Search,
) -> jobs::BoxedQuery<'a, Backend, T> {
    if let Some(status) = search.status {
        query = query.filter(jobs::status.eq(status.as_str()));
    }
    if let Some(kind) = &search.kind {
        query = query.filter(jobs::kind.eq(kind.as_str()));
    }
    if let Some(subject) = &search.subject {
        query = query.filter(jobs::subject.eq(subject));
    }
    if let Some(error) = &search.error {
        query = query.filter(jobs::error.eq(error));
    }
    if let Some(since) = search.since {
        query = query.filter(jobs::created_at.ge(since));
    }
    if let Some(until) = search.until {
        query = query.filter(jobs::created_at.lt(until));
    }
    if let Some(Position { created_at, id }) = &search.after {
        // The first condition alone would do, were no two jobs registered at the same time; the second lets an index
        // begin there.
        let same_time = jobs::created_at.eq(created_at).and(jobs::id.gt(id));
        query = query
            .filter(jobs::created_at.le(created_at))
            .filter(jobs::created_at.lt(created_at).or(same_time));
    }
    query
}

/// What a pattern's own characters are marked with. Not a backslash, which SQLite and PostgreSQL read differently.
const ESCAPE: char = '!';

/// The pattern of what contains a text. The database makes lower case of both: only it knows how it does that.
fn containing(text: &str) -> String {
    let mut pattern = String::from("%");
    for character in text.chars() {
        if matches!(character, '%' | '_' | ESCAPE) {
            pattern.push(ESCAPE);
        }
        pattern.push(character);
    }
    pattern.push('%');
    pattern
}

impl Position {
    fn of(row: &JobRow) -> Self {
        Self { created_at: row.created_at, id: row.id.clone() }
    }
}

/// Microseconds since 1970, as exact as the databases are, and the id.
impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.created_at.and_utc().timestamp_micros(), self.id)
    }
}

/// Why a text is no position.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not the place of a job among all; take `next` of the page before as it is")]
pub struct InvalidPosition;

impl FromStr for Position {
    type Err = InvalidPosition;

    fn from_str(text: &str) -> Result<Self, InvalidPosition> {
        let (micros, id) = text.split_once('.').ok_or(InvalidPosition)?;
        let micros = micros.parse().map_err(|_| InvalidPosition)?;
        let created_at = DateTime::from_timestamp_micros(micros).ok_or(InvalidPosition)?.naive_utc();
        // PostgreSQL takes no NUL, and an id has none.
        let id: statemachine::JobId = id.parse().map_err(|_| InvalidPosition)?;
        Ok(Self { created_at, id: id.to_string() })
    }
}
