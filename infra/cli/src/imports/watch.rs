//! `baton imports --watch`: the list, live. On a terminal it is drawn in place; elsewhere each change is a line, and with
//! `--json` a JSON document in a line.

use std::io::IsTerminal as _;
use std::process::ExitCode;
use std::time::Duration;

use ops::show::picture::ImportPicture;
use ops::target;
use ops::text;
use worker::db::{Connection, Database};
use worker::imports::find;
use worker::ledger::Search;

use super::board::Board;
use super::changes::Seen;
use super::{HEADING, Listed, broken_off, cells, list, nothing};
use crate::arguments::{Common, ImportsArguments};
use crate::output;
use crate::signals::Signals;

/// How long the list may stand unchanged.
const PAUSE: Duration = Duration::from_millis(500);

/// Where the changes go.
enum View {
    Board(Board),
    Lines(Seen),
    Json(Seen),
}

pub(super) async fn watch(common: &Common, arguments: &ImportsArguments) -> anyhow::Result<ExitCode> {
    // The database alone: a stack inside this command would keep `baton up` from the folder for as long as it stays.
    let database = target::database(&common.choice)?;
    let mut signals = Signals::listen()?;
    let mut view = if common.json {
        View::Json(Seen::default())
    } else if std::io::stdout().is_terminal() {
        View::Board(Board::new()?)
    } else {
        View::Lines(Seen::default())
    };
    let mut watched = Watched { database, search: arguments.search(), connection: None };
    let nothing = nothing(common, arguments);
    let mut is_away = false;
    let mut searched_until = None;
    loop {
        let (back, looked) = tokio::task::spawn_blocking(move || {
            let looked = watched.look();
            (watched, looked)
        })
        .await?;
        watched = back;
        match looked {
            Ok(Listed { imports, searched_until: until }) => {
                is_away = false;
                searched_until = until;
                watched = view.show(watched, imports, &nothing).await?;
            }
            Err(error) if !is_away => {
                is_away = true;
                output::complain(&format!("{error:#}; trying again"));
            }
            Err(_) => {}
        }
        tokio::select! {
            () = tokio::time::sleep(PAUSE) => {}
            () = signals.received() => break,
        }
    }
    if let View::Board(board) = view {
        board.leave();
    }
    if let Some(searched_until) = searched_until {
        output::complain(&broken_off(searched_until));
    }
    Ok(ExitCode::SUCCESS)
}

/// The imports that are watched.
struct Watched {
    database: Database,
    search: Search,
    connection: Option<Connection>,
}

impl Watched {
    /// The imports as they are now. A connection that broke is made anew at the next look.
    fn look(&mut self) -> anyhow::Result<Listed> {
        let mut connection = self.connect()?;
        let listed = list(&mut connection, &self.search)?;
        self.connection = Some(connection);
        Ok(listed)
    }

    /// One import, whatever the filters say.
    fn one(&mut self, id: &str) -> anyhow::Result<Option<ImportPicture>> {
        let mut connection = self.connect()?;
        let row = find(&mut connection, &id.parse()?)?;
        self.connection = Some(connection);
        Ok(row.map(ImportPicture::from))
    }

    fn connect(&mut self) -> anyhow::Result<Connection> {
        match self.connection.take() {
            Some(connection) => Ok(connection),
            None => Ok(self.database.connect()?),
        }
    }
}

impl View {
    async fn show(
        &mut self,
        mut watched: Watched,
        imports: Vec<ImportPicture>,
        nothing: &str,
    ) -> anyhow::Result<Watched> {
        let (seen, is_json) = match self {
            Self::Board(board) => {
                let rows: Vec<_> = imports.iter().map(cells).collect();
                let mut lines = text::table_lines(HEADING, &rows);
                if rows.is_empty() {
                    lines = vec![nothing.to_owned()];
                }
                board.show(&lines);
                return Ok(watched);
            }
            Self::Lines(seen) => (seen, false),
            Self::Json(seen) => (seen, true),
        };
        for id in seen.missing(&imports) {
            let (back, one) = tokio::task::spawn_blocking(move || {
                let one = watched.one(&id).map(|one| (id, one));
                (watched, one)
            })
            .await?;
            watched = back;
            // Where the database is away just now, the next look asks again.
            let Ok((id, one)) = one else { continue };
            match one {
                Some(import) => tell(seen, std::slice::from_ref(&import), is_json)?,
                None => seen.forget(&id),
            }
        }
        tell(seen, &imports, is_json)?;
        Ok(watched)
    }
}

fn tell(seen: &mut Seen, imports: &[ImportPicture], is_json: bool) -> anyhow::Result<()> {
    for import in seen.changed(imports) {
        if is_json {
            output::line(&serde_json::to_string(import)?);
        } else {
            output::line(&told(import));
        }
    }
    Ok(())
}

/// An import in a line: what is known, in the order of the list.
fn told(import: &ImportPicture) -> String {
    let ImportPicture { id, status, table, rows, rejects, attempt, .. } = import;
    let mut line = format!("{id}  {status}  {table}  rows {rows}  rejects {rejects}  attempt {attempt}");
    if let Some(progress) = &import.progress {
        line.push_str(&format!("  {progress}"));
    }
    if let Some(error) = &import.error {
        line.push_str(&format!("  {error}"));
    }
    text::visible(&line)
}
