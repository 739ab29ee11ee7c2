//! How a command line is typed where the program was started: whoever reads one in a sentence can type it as it stands.

use crate::shell::in_shell;

/// The command lines that are suggested, for one system.
#[derive(Clone, Debug)]
pub struct Commands {
    /// The program, as it was called.
    program: String,
    /// The options that name the same system once more, with a space before; empty where it is the usual one.
    same_target: String,
}

impl Commands {
    /// For a program that was called so.
    pub(crate) fn new(program: &str, same_target: String) -> Self {
        Self { program: in_shell(program), same_target }
    }

    /// The command line of a verb.
    #[must_use]
    pub fn line(&self, verb: &str) -> String {
        format!("{} {verb}{}", self.program, self.same_target)
    }

    /// The command line of a verb for an import.
    #[must_use]
    pub fn of(&self, verb: &str, id: &str) -> String {
        self.line(&format!("{verb} {id}"))
    }
}
