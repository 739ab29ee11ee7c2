//! What the pipeline costs, in the figures of the README: `cargo build --release && cargo run --release -p e2e --bin bench`.
//! Prints a Markdown table. Every import's answer is checked; medians of several runs, because machines are noisy.
#![expect(clippy::print_stdout, reason = "the table is what this program is for")]
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a benchmark that cannot run says where and stops"
)]

mod command;
mod lambda;
mod memory;
mod stages;

use std::time::Duration;

#[tokio::main]
async fn main() {
    println!("| what | median | least | most |");
    println!("|---|---:|---:|---:|");
    command::measure().await;
    stages::measure().await;
    lambda::measure().await;
    Box::pin(memory::measure()).await;
}

/// Prints one row of the table.
fn row(what: &str, mut samples: Vec<Duration>) {
    samples.sort_unstable();
    let ms = |sample: Duration| format!("{:.1} ms", sample.as_secs_f64() * 1000.0);
    let (median, least, most) = (samples[samples.len() / 2], samples[0], samples[samples.len() - 1]);
    println!("| {what} | {} | {} | {} |", ms(median), ms(least), ms(most));
}

/// Prints one row with a single figure.
fn figure(what: &str, value: &str) {
    println!("| {what} | {value} | | |");
}
