//! Imports on bad days: many at once, everything real, faults at random moments; then everything comes to rest and is
//! audited. `target/release/chaos --imports 500 --seed 1`; `tests/README.md` tells how to read it.
#![expect(clippy::print_stdout, reason = "the report is what this program is for")]
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a run that cannot go on says where and stops, which is a failed run"
)]

mod arguments;
mod audit;
mod backend;
mod faults;
mod model;
mod plan;
mod planted;
mod processes;
mod report;
mod rest;
mod run;
mod stack;
mod tables;
mod world;

use std::process::ExitCode;

use clap::Parser as _;

use arguments::{Arguments, Verb};

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match &arguments.verb {
        Some(Verb::Stack { config }) => stack::be(config).await,
        None => Box::pin(run::run(&arguments)).await,
    }
}
