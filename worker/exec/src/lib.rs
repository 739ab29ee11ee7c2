#![doc = include_str!("../README.md")]

mod ended;
mod family;
mod folder;
mod memory;
mod notify;
mod outcome;
mod output;
mod process;
mod program;
mod progress;
mod pulse;
mod run;
mod start;
mod watch;
mod written;

pub use ended::{Ended, Report};
pub use program::{Beat, ExitClass, ExitCodes, INPUT_VARIABLE_LIMIT, JobFacts, Program};
pub use progress::Progress;
pub use pulse::Counted;
pub use run::run;
pub use watch::{Stop, Stream, Watch};
pub use written::RESULT_LIMIT;
