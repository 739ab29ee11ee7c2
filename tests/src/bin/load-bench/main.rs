//! How fast Baton loads, against what loads files today, in the figures of the README:
//! `cargo build --release --workspace && target/release/load-bench`. Prints Markdown tables; what was left
//! out, and why, stands below them. A table that is not what it should be after a load ends the run.
#![expect(clippy::print_stdout, reason = "the tables are what this program is for")]
#![expect(clippy::print_stderr, reason = "somebody waits for minutes and wants to see why")]
#![expect(clippy::expect_used, reason = "a benchmark that cannot run says where and stops")]

mod answer;
mod arguments;
mod build_before;
mod checking;
mod child;
mod contest;
mod cpu;
mod data;
mod memory;
mod others;
mod pipeline;
mod postgres;
mod rejects;
mod said;
mod sqlite;

use arguments::{Arguments, Part};
use clap::Parser as _;
use data::Files;

#[tokio::main]
async fn main() {
    let arguments = Arguments::parse();
    let files = Files::new();
    let mut left_out = Vec::new();
    if arguments.ask_for(Part::Postgres) {
        left_out.extend(Box::pin(postgres::measure(&arguments, &files)).await);
    }
    if arguments.ask_for(Part::Rejects) {
        left_out.extend(Box::pin(rejects::measure(&arguments, &files)).await);
    }
    if arguments.ask_for(Part::Sqlite) {
        left_out.extend(Box::pin(sqlite::measure(&arguments, &files)).await);
    }
    if arguments.ask_for(Part::Others) {
        left_out.extend(Box::pin(others::measure(&arguments, &files)).await);
    }
    if arguments.ask_for(Part::Memory) {
        left_out.extend(Box::pin(memory::measure(&arguments, &files)).await);
    }
    if arguments.ask_for(Part::Checking) {
        left_out.extend(checking::measure(&arguments, &files));
    }
    for what in left_out {
        said::say(&format!("\nLeft out: {}.", what.trim_end_matches('.')));
    }
}
