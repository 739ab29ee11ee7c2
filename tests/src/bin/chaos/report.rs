//! What a run has to say.

use std::collections::BTreeMap;
use std::time::Duration;

use clap::ValueEnum as _;

use crate::faults::Kind;

/// The figures and the findings of a run.
pub(crate) struct Report {
    pub(crate) imports: usize,
    pub(crate) faults: BTreeMap<Kind, u32>,
    pub(crate) ends: BTreeMap<String, usize>,
    pub(crate) letters: usize,
    /// From the start to the last import's end under faults.
    pub(crate) imported_in: Duration,
    pub(crate) took: Duration,
    pub(crate) findings: Vec<String>,
}

impl Report {
    pub(crate) fn print(&self) {
        let seconds = |duration: Duration| format!("{:.1} s", duration.as_secs_f64());
        println!(
            "imports     {} in {}, all in {}",
            self.imports,
            seconds(self.imported_in),
            seconds(self.took)
        );
        println!("faults      {} in all", self.faults.values().sum::<u32>());
        for (kind, count) in &self.faults {
            let name = kind.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned());
            println!("  {count:>4}  {name}");
        }
        println!("ends");
        for (end, count) in &self.ends {
            println!("  {count:>4}  {end}");
        }
        println!("  {:>4}  dead letters", self.letters);
        if self.findings.is_empty() {
            println!("audit       passed");
            return;
        }
        println!("audit       FAILED");
        for finding in &self.findings {
            println!("  {finding}");
        }
    }
}
