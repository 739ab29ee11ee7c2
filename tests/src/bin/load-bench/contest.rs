//! Two contenders in pairs, one after the other, again and again: a machine's moods last longer than a pair, so that the
//! ratio within each pair says more than any two figures.

use std::time::Duration;

use crate::cpu::Cpu;

/// One load.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Run {
    /// From the command, or from the message sent, to the end.
    pub(crate) wall: Duration,
    /// What the worker's report says, from its claim to its commit.
    pub(crate) own: Option<Duration>,
    pub(crate) cpu: Cpu,
    pub(crate) peak_kibibytes: Option<u32>,
}

/// The pairs of one load.
pub(crate) struct Contest {
    what: String,
    pairs: Vec<(Run, Run)>,
}

impl Contest {
    pub(crate) fn new(what: &str) -> Self {
        Self { what: what.to_owned(), pairs: Vec::new() }
    }

    /// Notes a pair: what others do, and what the worker does.
    pub(crate) fn add(&mut self, base: Run, ours: Run) {
        let ratio = ratio(&base, &ours);
        crate::said::tell(&format!("{}: {:.2?} against {:.2?}, {ratio:.2}", self.what, ours.wall, base.wall));
        self.pairs.push((base, ours));
    }

    /// The head of a table of such pairs.
    pub(crate) fn head(base: &str) -> String {
        format!(
            "| load | {base} | Baton | ratio | least–most | worker's own time | CPU of {base}: client + server \
             | CPU of Baton: worker + server + stack | peak memory |\n|---|---:|---:|---:|---:|---:|---:|---:|---:|"
        )
    }

    /// The row of this contest; `None` where no pair was run.
    pub(crate) fn row(&self) -> Option<String> {
        let ratios: Vec<_> = self.pairs.iter().map(|(base, ours)| ratio(base, ours)).collect();
        let least = ratios.iter().copied().reduce(f64::min)?;
        let most = ratios.iter().copied().reduce(f64::max)?;
        let base = |of: fn(&Run) -> f64| median(self.pairs.iter().map(|(base, _)| of(base)));
        let ours = |of: fn(&Run) -> f64| median(self.pairs.iter().map(|(_, ours)| of(ours)));
        let peak = self.pairs.iter().filter_map(|(_, ours)| ours.peak_kibibytes).max();
        Some(format!(
            "| {} | {:.2} s | {:.2} s | **{:.2}** | {least:.2}–{most:.2} | {:.2} s | {:.1} + {:.1} s \
             | {:.1} + {:.1} + {:.1} s | {} |",
            self.what,
            base(|run| run.wall.as_secs_f64()),
            ours(|run| run.wall.as_secs_f64()),
            median(ratios.iter().copied()),
            ours(|run| run.own.unwrap_or_default().as_secs_f64()),
            base(|run| run.cpu.client),
            base(|run| run.cpu.server),
            ours(|run| run.cpu.client),
            ours(|run| run.cpu.server),
            ours(|run| run.cpu.stack),
            peak.map_or_else(String::new, megabytes),
        ))
    }
}

/// How much longer the second took than the first.
pub(crate) fn ratio(base: &Run, other: &Run) -> f64 {
    other.wall.as_secs_f64() / base.wall.as_secs_f64()
}

/// Memory as people read it.
pub(crate) fn megabytes(kibibytes: u32) -> String {
    format!("{:.1} MB", f64::from(kibibytes) * 1024.0 / 1e6)
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<_> = values.collect();
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => f64::NAN,
        even if even % 2 == 0 => f64::midpoint(values[middle - 1], values[middle]),
        _ => values[middle],
    }
}
