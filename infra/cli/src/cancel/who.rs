//! Who cancels: what is written into the execution, for those who ask later.

/// The longest name that is taken from the environment.
const MAX_CHARS: usize = 100;

/// The user at this terminal, `user@host`.
#[expect(clippy::disallowed_methods, reason = "who sits here is asked of the environment, as a shell does")]
pub(super) fn at_this_terminal() -> String {
    let user = ["USER", "LOGNAME"].into_iter().find_map(|name| std::env::var(name).ok());
    let user = user.filter(|user| !user.is_empty()).unwrap_or_else(|| "somebody".to_owned());
    let host = rustix::system::uname();
    let plain = |text: &str| -> String {
        text.chars().filter(|character| !character.is_control()).take(MAX_CHARS).collect()
    };
    format!("{}@{}", plain(&user), plain(&host.nodename().to_string_lossy()))
}
