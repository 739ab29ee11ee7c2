//! `baton console`: what the verbs tell and do, in the browser. HTML made on the server by maud, one style sheet, one small
//! script; nothing is asked of any other host. `baton up` serves it too.
//!
//! # How a page is added
//! - **Route.** A module `console/<page>.rs` has `pub(super) fn routes() -> Router<Shared>` and is merged in [`pages`]. Its
//!   handlers take `State(console): State<Shared>` and return `Result<Markup, PageError>`; any `anyhow::Error` becomes a page
//!   that explains it, and `PageError::not_found(…)` and its like have their own status.
//! - **View.** The page is `layout::page(&console, "Title", Nav::Imports, html! { … })`, out of the parts of
//!   [`layout`]: `status`, `ago`, `table` and the like. maud escapes all that is put in; text of files, messages and people goes
//!   through `layout::text`, which also shows marks of direction. Never `PreEscaped` on data. There is no inline style and
//!   no inline script, which the Content-Security-Policy refuses: classes of `static/console.css`.
//! - **Fragment.** What moves stands in `layout::live(id, url, moving, html! { … })`. The script fetches `url` while
//!   `moving` holds and puts the answer in the element's place; the handler answers that URL (`?fragment=<id>`) with the
//!   same `live(…)` alone. Without the script the page is as of when it was loaded.
//! - **Forms.** `POST` only, with `(console.guard.csrf_field())` inside. [`guard`] has refused everything else before a handler
//!   is called: handlers need not check. They take [`fields::Fields`], act, and answer with `console.notices.redirect(…)`: the
//!   page shows its notice by `console.notices.show(…)`. A body that is no form (a file) names the token in the header
//!   `x-csrf-token` or, where a form sends it as multipart, in its action: `?csrf=…` (`console.guard.csrf_token()`).
//! - **Database.** Blocks, so [`Console::database`].

mod dead_letters;
mod error;
mod fields;
mod files;
mod guard;
mod import;
mod imports;
mod layout;
mod notices;
mod overview;
mod server;
mod sign_in;
mod upload;

use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context as _;
use axum::Router;
use tokio::sync::{Mutex, Semaphore};
use worker::db::Connection;

use crate::cli::{Common, ConsoleArguments};
use crate::signals::Signals;
use crate::target::{Need, Target};
use crate::{output, report};
pub(crate) use guard::Guard;
use notices::Notices;
pub(crate) use server::{Address, Server};

/// The most questions to the database at once: pages that refresh themselves must not take the workers' connections.
const DATABASE_SLOTS: usize = 4;

/// What the pages are made from.
pub(crate) struct Console {
    pub(crate) target: Target,
    common: Common,
    guard: Guard,
    notices: Notices,
    stories: import::Stories,
    sent: upload::SentForms,
    made: upload::MadeTables,
    database_slots: Semaphore,
    /// Held by whoever receives from the dead-letter queue.
    dead_letters: Mutex<()>,
}

/// What handlers take.
type Shared = Arc<Console>;

impl Console {
    pub(crate) fn new(common: &Common, target: Target, guard: Guard) -> Self {
        Self {
            target,
            common: common.clone(),
            guard,
            notices: Notices::default(),
            stories: import::Stories::default(),
            sent: upload::SentForms::default(),
            made: upload::MadeTables::default(),
            database_slots: Semaphore::new(DATABASE_SLOTS),
            dead_letters: Mutex::new(()),
        }
    }

    /// Asks the database, on a thread that may block.
    async fn database<T: Send + 'static>(
        &self,
        ask: impl FnOnce(&mut Connection) -> Result<T, worker::failure::Failure> + Send + 'static,
    ) -> anyhow::Result<T> {
        let _slot = self.database_slots.acquire().await.context("the console is ending")?;
        let database = self.target.database.clone();
        let asked = tokio::task::spawn_blocking(move || ask(&mut database.connect()?));
        Ok(asked.await.context("failed to ask the database")??)
    }

    /// What the console shows, as a person calls it.
    fn target_name(&self) -> String {
        format!("{} · {}", self.target.place.describe(), self.target.database.display_name())
    }

    /// The command line that does for an import what the console is about to do, or cannot: as it can be typed where the
    /// console was started, so that it means the same import.
    fn command(&self, verb: &str, id: &str) -> String {
        self.command_line(&format!("{verb} {id}"))
    }

    /// The command line of a verb, as [`Self::command`].
    fn command_line(&self, verb: &str) -> String {
        report::command_line(&self.common, verb)
    }
}

fn pages() -> Router<Shared> {
    Router::new()
        .merge(overview::routes())
        .merge(imports::routes())
        .merge(import::routes())
        .merge(upload::routes())
        .merge(dead_letters::routes())
}

pub(crate) async fn console(common: &Common, arguments: &ConsoleArguments) -> anyhow::Result<ExitCode> {
    let mut signals = Signals::listen()?;
    // First, so that a port that is taken is said before a stack is started.
    let address = Address::bind(arguments.listen, arguments.port).await?;
    let guard = Guard::new(address.local(), &arguments.host_names, &arguments.token)?;
    let target = Target::open(common, Need::Look).await?;
    // Its buttons change things.
    target.say_where();
    let url = guard.url();
    if common.json {
        output::json(&serde_json::json!({ "console": url, "token": guard.token_to_print() }))?;
    } else {
        output::line(&url);
        if let Some(token) = guard.token_to_print() {
            output::complain(&format!("visitors need this token: {token}"));
        }
        if target.is_at_rest {
            output::complain(&format!(
                "no stack is up, so nothing moves: this console only looks; `{}` has one too",
                report::command_line(common, "up")
            ));
        }
        output::complain("Ctrl-C stops it.");
    }
    let server = Server::start(address, Console::new(common, target, guard));
    signals.received().await;
    server.stop().await;
    Ok(ExitCode::SUCCESS)
}
