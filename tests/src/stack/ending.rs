//! How a test ends its stack. Nobody can ask a stack anything in `drop`, which cannot wait; so it is said there that nobody has.

/// Panics where a stack is dropped that was neither audited nor stopped, unless the test has failed already.
#[derive(Debug)]
pub(super) struct Ending {
    is_decided: bool,
}

impl Ending {
    pub(super) fn open() -> Self {
        Self { is_decided: false }
    }

    /// The stack is ended by somebody who has looked at it, or says that there is nothing to be seen.
    pub(super) fn decide(&mut self) {
        self.is_decided = true;
    }
}

impl Drop for Ending {
    fn drop(&mut self) {
        assert!(
            self.is_decided || std::thread::panicking(),
            "a test ends its stack by `audit`, or by `stop` where it leaves something behind on purpose"
        );
    }
}
