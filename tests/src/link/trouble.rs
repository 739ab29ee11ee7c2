//! What is to go wrong on a link, shared between its handle and its connections.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

/// Which way bytes go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// From who has connected to who was listening.
    ToServer,
    /// Back.
    ToClient,
}

/// What happens to a connection where a predicate accepts what is about to pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It breaks before this has passed.
    Cut,
    /// This passes, and the connection breaks when something comes back: the other side has heard it, and its answer is
    /// lost.
    CutAtAnswer,
    /// The same, and the server is gone with it: all connections break, and new ones are broken at once, until
    /// [`Link::accept`](super::Link::accept).
    GoneAtAnswer,
    /// Nothing passes any more on any connection, this neither, until [`Link::resume`](super::Link::resume).
    Stall,
}

type Predicate = Box<dyn FnMut(&[u8]) -> bool + Send>;

struct Rule {
    direction: Direction,
    predicate: Predicate,
    fault: Fault,
}

#[derive(Default)]
struct Plan {
    rules: Vec<Rule>,
    /// Bytes that may still pass, by direction.
    budgets: [Option<u64>; 2],
}

/// What all connections look at while they wait.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Mood {
    /// How often all connections were cut: one that began under a lower number is to end.
    pub(super) cuts: u64,
    pub(super) is_stalled: bool,
    /// New connections are broken at once.
    pub(super) is_gone: bool,
}

#[derive(Default)]
pub(super) struct Troubles {
    mood: watch::Sender<Mood>,
    plan: Mutex<Plan>,
    passed: [AtomicU64; 2],
    connections: AtomicUsize,
    faults: AtomicUsize,
}

/// What is to become of bytes that were read.
pub(super) enum Verdict {
    Pass,
    /// Only so many, and then the connection breaks.
    PassAndCut(usize),
    /// All of them; the connection breaks at the answer.
    PassAndCutAtAnswer,
    /// All of them; at the answer all connections break.
    PassAndGoAtAnswer,
}

impl Troubles {
    pub(super) fn cut(&self) {
        self.mood.send_modify(|mood| mood.cuts += 1);
    }

    pub(super) fn set_gone(&self, is_gone: bool) {
        self.mood.send_modify(|mood| {
            mood.is_gone = is_gone;
            mood.cuts += u64::from(is_gone);
        });
    }

    pub(super) fn stall(&self, is_stalled: bool) {
        self.mood.send_modify(|mood| mood.is_stalled = is_stalled);
    }

    pub(super) fn cut_after(&self, direction: Direction, bytes: u64) {
        self.plan().budgets[direction as usize] = Some(bytes);
    }

    pub(super) fn once(&self, direction: Direction, predicate: Predicate, fault: Fault) {
        self.plan().rules.push(Rule { direction, predicate, fault });
    }

    pub(super) fn armed(&self) -> usize {
        self.plan().rules.len()
    }

    pub(super) fn passed(&self, direction: Direction) -> u64 {
        self.passed[direction as usize].load(Relaxed)
    }

    pub(super) fn add_passed(&self, direction: Direction, bytes: usize) {
        self.passed[direction as usize].fetch_add(bytes as u64, Relaxed);
    }

    pub(super) fn connections(&self) -> usize {
        self.connections.load(Relaxed)
    }

    pub(super) fn faults(&self) -> usize {
        self.faults.load(Relaxed)
    }

    pub(super) fn mood(&self) -> watch::Receiver<Mood> {
        self.mood.subscribe()
    }

    /// Counts a connection for as long as the guard lives.
    pub(super) fn count(&self) -> Counted<'_> {
        self.connections.fetch_add(1, Relaxed);
        Counted(&self.connections)
    }

    /// Asks the predicates and the budget.
    pub(super) fn judge(&self, direction: Direction, bytes: &[u8]) -> Verdict {
        let mut plan = self.plan();
        let met =
            plan.rules.iter_mut().position(|rule| rule.direction == direction && (rule.predicate)(bytes));
        if let Some(met) = met {
            self.faults.fetch_add(1, Relaxed);
            return match plan.rules.remove(met).fault {
                Fault::Cut => Verdict::PassAndCut(0),
                Fault::CutAtAnswer => Verdict::PassAndCutAtAnswer,
                Fault::GoneAtAnswer => Verdict::PassAndGoAtAnswer,
                Fault::Stall => {
                    self.stall(true);
                    Verdict::Pass
                }
            };
        }
        let budget = &mut plan.budgets[direction as usize];
        match *budget {
            Some(left) if left < bytes.len() as u64 => {
                *budget = None;
                self.faults.fetch_add(1, Relaxed);
                Verdict::PassAndCut(usize::try_from(left).unwrap_or(bytes.len()))
            }
            Some(left) => {
                *budget = Some(left - bytes.len() as u64);
                Verdict::Pass
            }
            None => Verdict::Pass,
        }
    }

    fn plan(&self) -> MutexGuard<'_, Plan> {
        self.plan.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(super) struct Counted<'a>(&'a AtomicUsize);

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Relaxed);
    }
}
