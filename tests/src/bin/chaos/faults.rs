//! What goes wrong, at random moments: one fault after another, until the imports are through.

mod network;
mod operators;
mod signals;

use std::cell::Cell;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use clap::ValueEnum;
use fastrand::Rng;
use tokio::task::JoinSet;

use crate::plan::{self, Import};
use crate::world::World;
pub(crate) use network::mend;
pub(crate) use operators::send;

/// A kind of fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub(crate) enum Kind {
    KillWorker,
    TerminateWorker,
    /// SIGSTOP, and SIGCONT up to eight seconds later: before or after others took its import over.
    PauseWorker,
    /// SIGSTOP in the midst of its load, and SIGCONT once another attempt has its import.
    OvertakeWorker,
    KillFunction,
    TerminateFunction,
    PauseFunction,
    KillStack,
    RestartStack,
    TerminateBackend,
    /// A server process is killed, and PostgreSQL ends all sessions and recovers.
    CrashDatabase,
    CutDatabase,
    StallDatabase,
    RefuseDatabase,
    /// The next COMMIT is heard, and its answer lost.
    LoseCommit,
    CutAws,
    StallAws,
    RefuseAws,
    StopExecution,
    DuplicateMessage,
    ShowMessage,
    RedriveExecution,
    MoveDeadLetter,
}

/// How often each is drawn, among all.
const WEIGHTS: [(Kind, u32); 23] = [
    (Kind::KillWorker, 8),
    (Kind::TerminateWorker, 4),
    (Kind::PauseWorker, 8),
    (Kind::OvertakeWorker, 4),
    (Kind::KillFunction, 2),
    (Kind::TerminateFunction, 1),
    (Kind::PauseFunction, 1),
    (Kind::KillStack, 2),
    (Kind::RestartStack, 1),
    (Kind::TerminateBackend, 4),
    (Kind::CrashDatabase, 2),
    (Kind::CutDatabase, 3),
    (Kind::StallDatabase, 2),
    (Kind::RefuseDatabase, 1),
    (Kind::LoseCommit, 4),
    (Kind::CutAws, 3),
    (Kind::StallAws, 2),
    (Kind::RefuseAws, 1),
    (Kind::StopExecution, 2),
    (Kind::DuplicateMessage, 4),
    (Kind::ShowMessage, 3),
    (Kind::RedriveExecution, 3),
    (Kind::MoveDeadLetter, 3),
];

/// What a fault needs to be brought about.
struct Moment<'a> {
    world: &'a Arc<World>,
    imports: &'a [Import],
    random: &'a mut Rng,
    /// What ends a fault that lasts.
    lasting: &'a mut JoinSet<()>,
}

/// Brings faults about until it is over; those that last have ended when this returns. How many there were of each kind.
pub(crate) async fn inject(
    world: &Arc<World>,
    mut random: Rng,
    only: &[Kind],
    imports: &[Import],
    is_over: &Cell<bool>,
) -> BTreeMap<Kind, u32> {
    let choices: Vec<_> =
        WEIGHTS.into_iter().filter(|(kind, _)| only.is_empty() || only.contains(kind)).collect();
    let mut counts = BTreeMap::new();
    let mut lasting = JoinSet::new();
    while !is_over.get() {
        tokio::time::sleep(Duration::from_millis(random.u64(50..500))).await;
        let kind = plan::weighted(&mut random, &choices);
        let moment = Moment { world, imports, random: &mut random, lasting: &mut lasting };
        if Box::pin(moment.bring_about(kind)).await {
            *counts.entry(kind).or_default() += 1;
        }
    }
    lasting.join_all().await;
    counts
}

impl Moment<'_> {
    /// Whether there was anything to meet.
    async fn bring_about(self, kind: Kind) -> bool {
        use rustix::process::Signal;
        match kind {
            Kind::KillWorker => self.signal_worker(Signal::KILL),
            Kind::TerminateWorker => self.signal_worker(Signal::TERM),
            Kind::PauseWorker => self.pause_worker(),
            Kind::OvertakeWorker => self.overtake_worker().await,
            Kind::KillFunction => self.signal_function(Signal::KILL),
            Kind::TerminateFunction => self.signal_function(Signal::TERM),
            Kind::PauseFunction => self.pause_function(),
            Kind::KillStack => self.replace_stack(Signal::KILL).await,
            Kind::RestartStack => self.replace_stack(Signal::TERM).await,
            Kind::TerminateBackend => self.terminate_backend().await,
            Kind::CrashDatabase => self.crash_database().await,
            Kind::CutDatabase => self.cut_database(),
            Kind::StallDatabase => self.stall_database(),
            Kind::RefuseDatabase => self.refuse_database(),
            Kind::LoseCommit => self.lose_commit(),
            Kind::CutAws => self.cut_aws(),
            Kind::StallAws => self.stall_aws(),
            Kind::RefuseAws => self.refuse_aws(),
            Kind::StopExecution => self.stop_execution().await.is_some(),
            Kind::DuplicateMessage => self.duplicate_message().await,
            Kind::ShowMessage => self.show_message().await.is_some(),
            Kind::RedriveExecution => self.redrive_execution().await.is_some(),
            Kind::MoveDeadLetter => self.move_dead_letter().await.is_some(),
        }
    }

    fn milliseconds(&mut self, range: std::ops::Range<u64>) -> Duration {
        Duration::from_millis(self.random.u64(range))
    }
}
