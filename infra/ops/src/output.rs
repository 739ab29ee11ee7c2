//! Data goes to stdout, everything else to stderr; both are written here and nowhere else. A reader that has gone
//! (`baton imports | head`) is no error.

use std::io::{IsTerminal as _, Write as _};
use std::time::Duration;

use serde::Serialize;

/// Prints a line of data.
pub(crate) fn line(text: &str) {
    // A closed pipe means that the reader has seen enough.
    let _ = writeln!(std::io::stdout().lock(), "{text}");
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

/// A table with a heading; columns as wide as their widest cell.
pub(crate) fn table<const N: usize>(heading: [&str; N], rows: &[[String; N]]) {
    let width = |column: usize| {
        rows.iter().map(|row| row[column].chars().count()).chain([heading[column].len()]).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..N).map(width).collect();
    let render = |cells: [&str; N]| {
        let padded: Vec<String> =
            cells.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        line(padded.join("  ").trim_end());
    };
    render(heading);
    for row in rows {
        render(std::array::from_fn(|column| row[column].as_str()));
    }
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
