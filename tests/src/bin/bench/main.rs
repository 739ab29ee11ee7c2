//! What the pipeline costs, in the figures of the README: `cargo build --release --workspace && target/release/bench`.
//! Prints a Markdown table. Every import's answer is checked; medians of several runs, because machines are noisy.
#![expect(clippy::print_stdout, reason = "the table is what this program is for")]
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a benchmark that cannot run says where and stops"
)]

mod command;
mod console;
mod lambda;
mod memory;
mod stages;
mod table;
mod throughput;

use clap::{Parser, ValueEnum};

/// Measures what the pipeline costs, and prints a Markdown table.
#[derive(Parser)]
struct Arguments {
    /// Only these parts; may be given more than once.
    #[arg(long, value_enum)]
    only: Vec<Part>,
    /// How many imports the throughput is measured with.
    #[arg(long, default_value_t = 1000)]
    imports: usize,
    /// How many executions the console's pages are measured with; each has 100 events.
    #[arg(long, default_value_t = 10_000)]
    executions: usize,
}

/// A part of the measurement.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    /// `baton run`, from the command to its report.
    Command,
    /// One import through a stack that is up, stage by stage.
    Stages,
    /// The Lambda by itself.
    Lambda,
    /// The worker's peak memory.
    Memory,
    /// Many imports at once.
    Throughput,
    /// The console's pages, where there is very much to show.
    Console,
}

#[tokio::main]
async fn main() {
    let arguments = Arguments::parse();
    let asks_for = |part| arguments.only.is_empty() || arguments.only.contains(&part);
    table::begin();
    if asks_for(Part::Command) {
        command::measure().await;
    }
    if asks_for(Part::Stages) {
        stages::measure().await;
    }
    if asks_for(Part::Lambda) {
        Box::pin(lambda::measure()).await;
    }
    if asks_for(Part::Memory) {
        Box::pin(memory::measure()).await;
    }
    if asks_for(Part::Throughput) {
        Box::pin(throughput::measure(arguments.imports)).await;
    }
    if asks_for(Part::Console) {
        Box::pin(console::measure(arguments.executions)).await;
    }
}
