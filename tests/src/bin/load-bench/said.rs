//! What the benchmark says: its answer, and how far it is.

/// Prints a part of the answer.
pub(crate) fn say(text: &str) {
    println!("{text}");
}

/// Tells whoever waits what is going on.
pub(crate) fn tell(text: &str) {
    eprintln!("{text}");
}
