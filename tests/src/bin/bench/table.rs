//! The Markdown table that the benchmark prints.

use std::time::Duration;

/// Prints its head.
pub(crate) fn begin() {
    println!("| what | median | least | most |");
    println!("|---|---:|---:|---:|");
}

/// Prints one row of the table.
pub(crate) fn row(what: &str, mut samples: Vec<Duration>) {
    samples.sort_unstable();
    let ms = |sample: Duration| format!("{:.1} ms", sample.as_secs_f64() * 1000.0);
    let (median, least, most) = (samples[samples.len() / 2], samples[0], samples[samples.len() - 1]);
    println!("| {what} | {} | {} | {} |", ms(median), ms(least), ms(most));
}

/// Prints one row with a single figure.
pub(crate) fn figure(what: &str, value: &str) {
    println!("| {what} | {value} | | |");
}
