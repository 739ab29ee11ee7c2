//! Signals by name.

use rustix::process::Signal;

/// The number of SIGKILL.
pub(super) const KILL: i32 = Signal::KILL.as_raw();

const NAMES: [(Signal, &str); 15] = [
    (Signal::HUP, "SIGHUP"),
    (Signal::INT, "SIGINT"),
    (Signal::QUIT, "SIGQUIT"),
    (Signal::ILL, "SIGILL"),
    (Signal::TRAP, "SIGTRAP"),
    (Signal::ABORT, "SIGABRT"),
    (Signal::BUS, "SIGBUS"),
    (Signal::FPE, "SIGFPE"),
    (Signal::KILL, "SIGKILL"),
    (Signal::SEGV, "SIGSEGV"),
    (Signal::PIPE, "SIGPIPE"),
    (Signal::ALARM, "SIGALRM"),
    (Signal::TERM, "SIGTERM"),
    (Signal::XCPU, "SIGXCPU"),
    (Signal::SYS, "SIGSYS"),
];

/// The name of a signal; its number where it is a rare one.
pub(super) fn name(signal: i32) -> String {
    known(signal).map_or_else(|| format!("SIG{signal}"), str::to_owned)
}

/// The signal that a shell means by this exit code, 128 and the signal's number. Only those that kill from outside: other
/// programs have exit codes above 128 of their own.
pub(super) fn of_shell(code: i32) -> Option<&'static str> {
    let signal = code.checked_sub(128)?;
    if [Signal::KILL.as_raw(), Signal::TERM.as_raw()].contains(&signal) { known(signal) } else { None }
}

fn known(signal: i32) -> Option<&'static str> {
    NAMES.iter().find(|(known, _)| known.as_raw() == signal).map(|(_, name)| *name)
}
