//! The loop that looks after a program. It never waits for anything but a file descriptor, and for that no longer than a
//! tick: a request to stop has no descriptor.

use std::collections::BTreeMap;
use std::process::ExitStatus;
use std::time::Instant;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use tracing::{info, warn};

use crate::family::Family;
use crate::notify::Notify;
use crate::outcome::Stopping;
use crate::progress::{Channel, Progress, Seen};
use crate::pulse::Pulse;
use crate::watch::Watch;

/// How often the caller is asked for a request to stop, and orphans are looked for.
const TICK: Timespec = Timespec { tv_sec: 0, tv_nsec: 50_000_000 };

/// The same where the program's end is no event: an end is noticed only here.
const SHORT_TICK: Timespec = Timespec { tv_sec: 0, tv_nsec: 5_000_000 };

/// How many messages are taken in a row from a program that sends without a pause.
const MESSAGES: usize = 64;

/// A program under supervision.
pub(super) struct Supervision<'a> {
    watch: &'a dyn Watch,
    pulse: &'a Pulse<'a>,
    family: Family,
    channel: Channel,
    notify: Option<Notify>,
    grace: std::time::Duration,
    stopping: Option<(Stopping, Instant)>,
    program_has_ended: bool,
}

/// The end of a program, when no process of it is left.
pub(super) struct End {
    pub(super) status: Option<ExitStatus>,
    pub(super) stopping: Option<Stopping>,
    pub(super) progress: Option<Progress>,
    pub(super) left_behind: usize,
}

impl<'a> Supervision<'a> {
    pub(super) fn new(
        watch: &'a dyn Watch,
        pulse: &'a Pulse<'a>,
        family: Family,
        channel: Channel,
        notify: Option<Notify>,
        grace: std::time::Duration,
    ) -> Self {
        Self { watch, pulse, family, channel, notify, grace, stopping: None, program_has_ended: false }
    }

    /// Looks after the program until it has ended, or its grace has; then ends what is left.
    pub(super) fn until_the_end(mut self) -> End {
        while !self.is_over() {
            self.wait_a_tick();
            self.read_channels();
            self.look_for_a_stop();
            if !self.program_has_ended {
                self.pulse.is_alive();
                self.program_has_ended = self.family.program_has_ended();
            }
            // Once the program has ended there is always one to be reaped, which is no orphan: the end reaps all.
            if !self.program_has_ended {
                self.family.reap_orphans();
            }
        }
        if let Some((stopping, _)) = &mut self.stopping {
            stopping.killed = !self.program_has_ended || self.family.is_anyone_left();
        }
        let ending = self.family.end();
        // A socket's queue may hold some hundreds.
        for _ in 0..16 {
            self.read_messages();
        }
        let seen = self.channel.finish();
        self.report(seen);
        if self.channel.bad_lines() > 0 {
            warn!(lines = self.channel.bad_lines(), "Some lines on the progress channel were no reports");
        }
        let stopping = self.stopping.map(|(stopping, _)| stopping);
        warn_of(&ending.killed, stopping.as_ref());
        End {
            status: ending.status,
            stopping,
            progress: self.channel.current().cloned(),
            left_behind: ending.killed.len(),
        }
    }

    /// A program that ended by itself has ended for all that it started. One that was asked to stop may have been a shell
    /// that died at once, while what it had started is still about to clean up: that has the grace, too.
    fn is_over(&self) -> bool {
        match &self.stopping {
            None => self.program_has_ended,
            Some((_, until)) => {
                Instant::now() >= *until || (self.program_has_ended && !self.family.is_anyone_left())
            }
        }
    }

    fn wait_a_tick(&self) {
        let mut sources = vec![PollFd::new(&self.channel, PollFlags::IN)];
        sources.extend(self.notify.as_ref().map(|notify| PollFd::new(notify, PollFlags::IN)));
        let pidfd = self.family.pidfd();
        // It stays readable: whoever has seen it must not look again.
        if !self.program_has_ended {
            sources.extend(pidfd.map(|pidfd| PollFd::new(pidfd, PollFlags::IN)));
        }
        // An interruption is as good as an event.
        let _ = poll(&mut sources, Some(if pidfd.is_some() { &TICK } else { &SHORT_TICK }));
    }

    fn read_channels(&mut self) {
        let seen = self.channel.read();
        self.report(seen);
        self.read_messages();
    }

    fn report(&self, seen: Seen) {
        if seen.done_grew {
            self.pulse.done_grew();
        } else if seen.report {
            self.pulse.output();
        }
        if let (true, Some(progress)) = (seen.report, self.channel.current()) {
            self.watch.progress(progress);
        }
    }

    fn read_messages(&mut self) {
        let mut has_status = false;
        for _ in 0..MESSAGES {
            let Some(message) = self.notify.as_ref().and_then(Notify::receive) else { break };
            if message.watchdog {
                self.pulse.watchdog();
            } else {
                self.pulse.output();
            }
            if let Some(status) = message.status {
                self.channel.set_note(&status);
                has_status = true;
            }
            if let Some(patience) = message.patience {
                self.watch.asks_for_patience(patience);
            }
        }
        if let (true, Some(progress)) = (has_status, self.channel.current()) {
            self.watch.progress(progress);
        }
    }

    fn look_for_a_stop(&mut self) {
        if self.stopping.is_some() || self.program_has_ended {
            return;
        }
        if let Some(stop) = self.watch.stop_requested() {
            info!("Asking the program to stop, with {:?} of grace: {stop}", self.grace);
            self.family.ask_to_stop();
            self.stopping = Some((Stopping { stop, killed: false }, Instant::now() + self.grace));
        }
    }
}

/// Says in the log what was left behind.
fn warn_of(killed: &BTreeMap<i32, String>, stopping: Option<&Stopping>) {
    if !killed.is_empty() {
        let names: Vec<_> = killed.iter().map(|(pid, name)| format!("{name} ({pid})")).collect();
        let when = if stopping.is_some() { "when it was stopped" } else { "when it ended" };
        warn!(
            processes = names.join(", "),
            "Killed processes that the program left {when}: {}",
            killed.len()
        );
    }
}
