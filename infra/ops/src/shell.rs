//! Words as a shell reads them.

use crate::text::visible;

/// An option with its value, as a shell reads it.
pub(crate) fn option(name: &str, value: &str) -> String {
    // A value that begins like an option must not be taken for one.
    let between = if value.starts_with('-') { '=' } else { ' ' };
    format!("--{name}{between}{}", in_shell(value))
}

/// One word of a shell. What a terminal would not show is written as its code, in the quotes of bash and zsh.
pub(crate) fn in_shell(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_-+=%,./:@".contains(c);
    if !text.is_empty() && text.chars().all(is_plain) {
        return text.to_owned();
    }
    if visible(text) == text {
        return format!("'{}'", text.replace('\'', r"'\''"));
    }
    let escaped = |c: char| match c {
        '\'' | '\\' => format!("\\{c}"),
        ' '..='~' => c.to_string(),
        _ => format!("\\U{:08x}", u32::from(c)),
    };
    format!("$'{}'", text.chars().map(escaped).collect::<String>())
}
