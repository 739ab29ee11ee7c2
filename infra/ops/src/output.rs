//! Data goes to stdout, everything else to stderr; both are written here and nowhere else. A reader that has gone
//! (`baton imports | head`) is no error.

use std::io::{ErrorKind, IsTerminal as _, Write as _};
use std::time::Duration;

use anstyle::AnsiColor;
use serde::Serialize;

use crate::terminal;

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
    table_lines(heading, rows).iter().for_each(|text| line(text));
}

/// The lines of a table with a heading; columns as wide as their widest cell is seen to be. What a terminal would obey is
/// escaped.
pub(crate) fn table_lines<const N: usize>(heading: [&str; N], rows: &[[String; N]]) -> Vec<String> {
    let mut lines = vec![heading.map(str::to_owned)];
    lines.extend(rows.iter().map(|row| std::array::from_fn(|column| terminal::visible(&row[column]))));
    let width = |column: usize| lines.iter().map(|cells| terminal::width(&cells[column])).max().unwrap_or(0);
    let widths: [usize; N] = std::array::from_fn(width);
    let render = |cells: &[String; N]| {
        let padded: Vec<_> =
            cells.iter().zip(widths).map(|(cell, width)| terminal::padded(cell, width)).collect();
        padded.join("  ").trim_end().to_owned()
    };
    lines.iter().map(render).collect()
}

/// A duration as a person says it: `340 ms`, `2.1 s`, `3 min 20 s`.
pub(crate) fn duration(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match seconds {
        0 => format!("{} ms", duration.as_millis()),
        1..=119 => format!("{:.1} s", duration.as_secs_f64()),
        120..=7199 => format!("{} min {} s", seconds / 60, seconds % 60),
        _ => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
    }
}

/// A size as a person says it.
pub(crate) fn bytes(bytes: u64) -> String {
    indicatif::HumanBytes(bytes).to_string()
}

/// A number with its thousands apart.
pub(crate) fn count(number: u64) -> String {
    indicatif::HumanCount(number).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_said_as_a_person_says_them() {
        let said = |millis| duration(Duration::from_millis(millis));
        assert_eq!(
            [said(340), said(2_140), said(200_000), said(7_500_000)],
            ["340 ms", "2.1 s", "3 min 20 s", "2 h 5 min"]
        );
    }
}
