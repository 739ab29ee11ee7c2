//! The console on a stack with 10,000 executions and 1,000,000 events: how long its pages take, each of which is checked for
//! what it must say, and how long the stack takes to come up.

mod pages;
mod seed;
mod up;

use std::time::{Duration, Instant};

use crate::console::pages::Page;
use crate::console::up::Up;

/// How often each page is asked for.
const REQUESTS: usize = 50;

/// How much there is.
#[derive(Clone, Copy)]
pub(crate) struct Size {
    pub(crate) executions: usize,
    /// Of an execution, but for one that has a hundred times as many.
    pub(crate) events: usize,
    pub(crate) dead_letters: usize,
}

impl Size {
    /// With so many executions, the usual rest.
    pub(crate) fn of(executions: usize) -> Self {
        Self { executions, events: 100, dead_letters: 30 }
    }
}

pub(crate) async fn measure(executions: usize) {
    let size = Size::of(executions);
    let dir = tempfile::tempdir().expect("there is room for a folder");
    let data_dir = dir.path().join("data");
    let events = seed::fill(&data_dir, size).await;
    crate::table::figure("the console's folder", &format!("{executions} executions, {events} events"));

    let started = Instant::now();
    let up = Up::start(&data_dir).await;
    crate::table::row("… `baton up` on it, command to first answer", vec![started.elapsed()]);
    for Page { what, path, says } in pages::all(size) {
        let mut samples = Vec::with_capacity(REQUESTS);
        for _ in 0..REQUESTS {
            let started = Instant::now();
            let answer = up.page(&path).await;
            samples.push(started.elapsed());
            for words in &says {
                assert!(answer.contains(words), "{path} does not say {words:?}:\n{answer}");
            }
        }
        crate::table::row(&format!("… {what}"), samples);
    }
    up.stop().await;
}

/// The longest that something may take on a machine that is busy.
const PATIENCE: Duration = Duration::from_secs(300);
