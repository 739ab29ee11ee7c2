//! Takes from a text what differs from run to run: times, durations, ids, ports, folders. A placeholder stands for each.

use std::path::Path;

/// The text with placeholders, and columns only two spaces apart: their widths depend on what was replaced.
pub(crate) fn scrubbed(text: &str, folder: &Path) -> String {
    let text = with_placeholders(text, folder);
    let lines = text.lines().map(|line| {
        let indent = line.len() - line.trim_start().len();
        let words: Vec<_> =
            line.trim().split("  ").map(str::trim).filter(|words| !words.is_empty()).collect();
        format!("{}{}", &line[..indent], words.join("  "))
    });
    lines.collect::<Vec<_>>().join("\n") + "\n"
}

fn with_placeholders(text: &str, folder: &Path) -> String {
    let baton = e2e::binaries::path("baton");
    let programs = baton.parent().unwrap().display().to_string();
    let folder = folder.canonicalize().unwrap().display().to_string();
    let text = text.replace(&format!("{programs}/baton"), "baton").replace(&programs, "<PROGRAMS>");
    let text = text.replace(&folder, "<FOLDER>").replace(env!("CARGO_PKG_VERSION"), "<VERSION>");
    FORMS.iter().fold(text, |text, (form, placeholder)| replaced(&text, form, placeholder))
}

/// What is replaced by what. In a form `9` is a digit, `x` a hexadecimal one, `+` one more of the one before or many;
/// everything else is itself.
const FORMS: &[(&str, &str)] = &[
    // A worker that has reported may still be leaving when the stack ends with its verb.
    ("The embedded stack was shut down", "Essential container in task exited"),
    ("xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx", "<ID>"),
    ("9999-99-99T99:99:99.9+Z", "<TIME>"),
    ("9999-99-99T99:99:99Z", "<TIME>"),
    ("9999-99-99 99:99:99", "<TIME>"),
    ("99:99:99.999", "<TIME>"),
    ("to 99:99:99 UTC", "to <TIME> UTC"),
    ("xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", "<SHA256>"),
    ("xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", "<TASK>"),
    ("people-99999999-999999-xxxx", "<IMPORT>"),
    ("127.0.0.1:9+", "127.0.0.1:<PORT>"),
    ("process 9+", "process <PID>"),
    ("_ms\": 9+", "_ms\": <MS>"),
    ("_seconds=9+.9+", "_seconds=<SECONDS>"),
    ("9+ ms", "<DURATION>"),
    ("9+.9 s", "<DURATION>"),
    ("9+ s ago", "<DURATION> ago"),
    ("  9+ s  ", "  <DURATION>  "),
];

fn replaced(text: &str, form: &str, placeholder: &str) -> String {
    let mut replaced = String::with_capacity(text.len());
    let mut rest = text;
    while !rest.is_empty() {
        // A number begins where no digit stands before it.
        let is_inside =
            replaced.ends_with(|c: char| c.is_ascii_alphanumeric()) && form.starts_with(['9', 'x']);
        match matched(rest, form).filter(|_| !is_inside) {
            Some(length) => {
                replaced.push_str(placeholder);
                rest = &rest[length..];
            }
            None => {
                let mut characters = rest.chars();
                replaced.extend(characters.next());
                rest = characters.as_str();
            }
        }
    }
    replaced
}

/// How many bytes at the beginning of the text have the form.
fn matched(text: &str, form: &str) -> Option<usize> {
    let is_of = |kind: char, found: char| match kind {
        '9' => found.is_ascii_digit(),
        'x' => found.is_ascii_digit() || ('a'..='f').contains(&found),
        _ => kind == found,
    };
    let mut characters = text.char_indices().peekable();
    let mut last = ' ';
    for kind in form.chars() {
        if kind == '+' {
            while characters.next_if(|(_, found)| is_of(last, *found)).is_some() {}
            continue;
        }
        let (_, found) = characters.next()?;
        if !is_of(kind, found) {
            return None;
        }
        last = kind;
    }
    Some(characters.peek().map_or(text.len(), |(at, _)| *at))
}

#[test]
fn what_differs_from_run_to_run_has_a_placeholder() {
    let folder = tempfile::tempdir().unwrap();
    let said = |text: &str| scrubbed(text, folder.path()).trim_end().to_owned();
    assert_eq!(said("at 2026-11-24 09:30:00 UTC, took 1234 ms"), "at <TIME> UTC, took <DURATION>");
    assert_eq!(said("2026-11-24T09:30:00.123456Z"), "<TIME>");
    assert_eq!(said(&format!("task {} at work", "0f".repeat(16))), "task <TASK> at work");
    assert_eq!(said(&format!("sha256 {}", "0f".repeat(32))), "sha256 <SHA256>");
    assert_eq!(said("x   3 s  1"), "x  <DURATION>  1");
    assert_eq!(said("http://127.0.0.1:40123/x   2.1 s"), "http://127.0.0.1:<PORT>/x  <DURATION>");
    assert_eq!(said("people-1-0f1e2d3c-0000-1111-2222-333344445555"), "people-1-<ID>");
    assert_eq!(said(&format!("in {}/a", folder.path().display())), "in <FOLDER>/a");
    assert_eq!(said("  3 rows  名前   x"), "  3 rows  名前  x");
}
