//! Data goes to stdout, everything else to stderr; both are written here and nowhere else. A reader that has gone
//! (`baton imports | head`) is no error.

use std::io::{ErrorKind, IsTerminal as _, Write as _};

use anstyle::AnsiColor;
use ops::target::place::Place;
use ops::text;
use serde::Serialize;

/// Prints a line of data.
pub(crate) fn line(text: &str) {
    // A closed pipe means that the reader has seen enough.
    let _ = writeln!(std::io::stdout().lock(), "{text}");
}

/// Writes data as it is. `false`: the reader has gone, and no more need be written.
///
/// # Errors
/// Where it cannot be written, as to a disk that is full: half a file must not pass for the whole.
pub(crate) fn raw(data: &[u8]) -> std::io::Result<bool> {
    let mut stdout = std::io::stdout().lock();
    match stdout.write_all(data).and_then(|()| stdout.flush()) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(false),
        Err(error) => Err(error),
    }
}

/// Prints data as one JSON document.
pub(crate) fn json(value: &impl Serialize) -> anyhow::Result<()> {
    line(&serde_json::to_string_pretty(value)?);
    Ok(())
}

/// Prints a line for the person at the terminal.
pub(crate) fn complain(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}

/// Says where something is about to be changed.
pub(crate) fn say_where(place: &Place) {
    complain(&format!("target: {}", place.describe()));
}

/// Whether a progress bar would be seen.
pub(crate) fn stderr_is_terminal() -> bool {
    std::io::stderr().is_terminal()
}

/// Whether colours would be seen on stderr, and are wanted: `NO_COLOR`, `CLICOLOR_FORCE`.
pub(crate) fn stderr_has_colours() -> bool {
    has_colours(&std::io::stderr())
}

fn has_colours(stream: &impl anstream::stream::RawStream) -> bool {
    anstream::AutoStream::choice(stream) != anstream::ColorChoice::Never
}

/// What a word's colour says. The word says it too: a colour is not seen by everybody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Paint {
    Plain,
    Good,
    Doubtful,
    Bad,
}

/// A word of data in its colour, where stdout shows colours and they are wanted.
pub(crate) fn painted(text: &str, paint: Paint) -> String {
    let colour = match paint {
        Paint::Plain => return text.to_owned(),
        Paint::Good => AnsiColor::Green,
        Paint::Doubtful => AnsiColor::Yellow,
        Paint::Bad => AnsiColor::Red,
    };
    if !has_colours(&std::io::stdout()) {
        return text.to_owned();
    }
    let style = colour.on_default();
    format!("{style}{text}{style:#}")
}

/// Prints a table with a heading.
pub(crate) fn table<const N: usize>(heading: [&str; N], rows: &[[String; N]]) {
    text::table_lines(heading, rows).iter().for_each(|text| line(text));
}
