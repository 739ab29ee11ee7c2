//! The rules, one by one: what is wrong, or none.

use super::super::check::Check;
use super::Settings;

/// The longest that SQS hides a message, in seconds.
const MAX_HOLD_S: f64 = 43_200.0;
/// How long a container on Fargate takes to start, in seconds, at worst.
const CONTAINER_START_S: f64 = 60.0;

type Found = Option<Check>;

impl Settings {
    pub(super) fn visibility_covers_the_function(&self) -> Found {
        let (visibility, timeout) = (self.visibility_timeout_s?, self.function_timeout_s?);
        let says = format!(
            "a message is hidden for {visibility} s (VisibilityTimeout), and the function may take {timeout} s"
        );
        let advice =
            format!("set the queue's VisibilityTimeout to {} s at least, six times as long", timeout * 6.0);
        if visibility < timeout {
            Some(Check::fail("visibility", says, advice))
        } else {
            (visibility < timeout * 6.0).then(|| Check::warn("visibility", says, advice))
        }
    }

    pub(super) fn hold_covers_an_import(&self) -> Found {
        let hold = self.hold_s?;
        if hold > MAX_HOLD_S {
            let says = format!(
                "the message is held for {hold} s, and SQS hides none for longer than {MAX_HOLD_S} s"
            );
            return Some(Check::fail("hold time", says, "set HoldSeconds to 43200 s at most"));
        }
        let timeout = self.run_timeout_s.filter(|timeout| hold <= *timeout)?;
        let says =
            format!("the message is held for {hold} s, and an attempt at its import may take {timeout} s");
        let advice =
            "set HoldSeconds above RunTimeoutSeconds: a message that comes back meanwhile uses up receives";
        Some(Check::warn("hold time", says, advice))
    }

    pub(super) fn hold_is_one(&self) -> Found {
        let (machine, function) = (self.hold_s?, self.function_hold_s?);
        (machine != function).then(|| {
            let says =
                format!("the machine holds a message for {machine} s, and the function for {function} s");
            Check::warn("hold time", says, "set the function's HOLD_SECONDS to the machine's HoldSeconds")
        })
    }

    pub(super) fn heartbeat_covers_some_beats(&self) -> Found {
        let (limit, interval) = (self.heartbeat_s?, self.heartbeat_interval_s?);
        let says =
            format!("the worker beats every {interval} s, and is given up after {limit} s without a beat");
        let advice = format!("set HeartbeatSeconds to {} s at least, three beats", interval * 3.0);
        if limit <= interval {
            Some(Check::fail("heartbeat", says, advice))
        } else {
            (limit < interval * 3.0).then(|| Check::warn("heartbeat", says, advice))
        }
    }

    pub(super) fn heartbeat_covers_the_start(&self) -> Found {
        let limit = self.heartbeat_s.filter(|limit| self.is_at_aws && *limit < CONTAINER_START_S)?;
        let says = format!(
            "the first beat is to come within {limit} s, and a container takes up to {CONTAINER_START_S} s to start"
        );
        Some(Check::warn("heartbeat", says, "set HeartbeatSeconds to 120 s or more"))
    }

    pub(super) fn beats_come_within_the_stall_limit(&self) -> Found {
        let (stall, interval) = (self.stall_limit_s?, self.heartbeat_interval_s?);
        (stall < interval).then(|| {
            let says = format!("the worker stops to beat after {stall} s without progress, and beats every {interval} s");
            let advice = "set STALL_LIMIT_SECONDS above HEARTBEAT_INTERVAL_SECONDS: a pause between two beats is no stall";
            Check::fail("stall limit", says, advice)
        })
    }

    pub(super) fn a_hang_is_seen_before_the_time_is_up(&self) -> Found {
        let (stall, limit, timeout) = (self.stall_limit_s?, self.heartbeat_s?, self.run_timeout_s?);
        (stall + limit >= timeout).then(|| {
            let says = format!(
                "a worker that hangs is noticed after {} s, and its time is up after {timeout} s",
                stall + limit
            );
            let advice =
                "lower STALL_LIMIT_SECONDS and HeartbeatSeconds, or raise RunTimeoutSeconds above their sum";
            Check::warn("stall limit", says, advice)
        })
    }

    pub(super) fn lease_covers_the_beats(&self) -> Found {
        let (lease, interval) = (self.lease_s?, self.heartbeat_interval_s?);
        (lease < interval * 2.0).then(|| {
            let says = format!(
                "a claim lasts {lease} s, and is renewed every {interval} s: the worker does not start so"
            );
            let advice = format!(
                "set LEASE_SECONDS to {} s at least, twice HEARTBEAT_INTERVAL_SECONDS",
                interval * 2.0
            );
            Check::fail("lease", says, advice)
        })
    }

    pub(super) fn lease_covers_the_heartbeat(&self) -> Found {
        let (lease, limit) = (self.lease_s?, self.heartbeat_s?);
        (lease < limit).then(|| {
            let says = format!("a claim lasts {lease} s without a beat, and the state waits for one for {limit} s");
            let advice = "set LEASE_SECONDS to HeartbeatSeconds at least: a second message would take over an import at work";
            Check::warn("lease", says, advice)
        })
    }

    pub(super) fn redrive_policy_leads_to_the_dead_letters(&self) -> Found {
        let advice = "set the queue's RedrivePolicy with the dead-letter queue's ARN and maxReceiveCount 5";
        match (&self.redrive_target_arn, &self.dead_letter_queue_arn) {
            (None, _) if self.queue_is_known => {
                let says =
                    "the queue has no redrive policy: what the function cannot read comes back for ever";
                Some(Check::fail("redrive policy", says, advice))
            }
            (Some(target), Some(ours)) if target != ours => {
                let says = format!(
                    "the queue's redrive policy leads to {target}, and the target's dead letters are {ours}"
                );
                Some(Check::fail("redrive policy", says, advice))
            }
            _ => None,
        }
    }

    pub(super) fn receives_are_enough(&self) -> Found {
        let count = self.max_receive_count.filter(|count| *count < 5.0)?;
        let says =
            format!("a message is dead-lettered after {count} receives; a throttled function uses up some");
        Some(Check::warn("receives", says, "set maxReceiveCount in the queue's RedrivePolicy to 5 at least"))
    }

    pub(super) fn dead_letters_are_kept_as_long(&self) -> Found {
        let (dead, queue) = (self.dead_letter_retention_s?, self.retention_s?);
        (dead < queue).then(|| {
            let says = format!(
                "dead letters are kept for {dead} s and messages for {queue} s, both from when they were sent"
            );
            Check::warn(
                "retention",
                says,
                "set the dead-letter queue's MessageRetentionPeriod to 1209600 s, 14 days",
            )
        })
    }

    pub(super) fn the_mapping_asks_for_single_failures(&self) -> Found {
        if self.reports_item_failures == Some(false) {
            let says =
                "the event source mapping takes no single failures: SQS deletes messages whose imports run";
            return Some(Check::fail(
                "mapping",
                says,
                "set its FunctionResponseTypes to ReportBatchItemFailures",
            ));
        }
        let state = self.mapping_state.as_deref().filter(|state| !self.is_at_rest && *state != "Enabled");
        if let Some(state) = state {
            let says = format!("the event source mapping is {state}: no import starts");
            return Some(Check::fail(
                "mapping",
                says,
                "enable it: aws lambda update-event-source-mapping --enabled",
            ));
        }
        let batch = self.batch_size.filter(|batch| self.is_fifo && *batch > 1.0)?;
        let says = format!("the queue is a FIFO queue, and the function gets {batch} messages at once");
        let advice =
            "set the mapping's BatchSize to 1: those behind the first of their group use up receives";
        Some(Check::warn("mapping", says, advice))
    }

    pub(super) fn the_function_belongs_to_the_target(&self) -> Found {
        let pairs = [
            ("QUEUE_URL", &self.function_queue_url, &self.queue_url),
            ("STATE_MACHINE_ARN", &self.function_import_machine, &self.import_state_machine_arn),
            (
                "DEAD_LETTER_STATE_MACHINE_ARN",
                &self.function_dead_letter_machine,
                &self.dead_letter_state_machine_arn,
            ),
        ];
        let (variable, theirs, ours) = pairs.into_iter().find_map(|(variable, theirs, ours)| {
            theirs.as_ref().filter(|theirs| *theirs != ours).map(|theirs| (variable, theirs, ours))
        })?;
        let says = format!("the function's {variable} is {theirs}, and the target's is {ours}");
        Some(Check::fail("function", says, "correct baton.toml, or the function's variable"))
    }

    pub(super) fn the_worker_writes_where_baton_reads(&self) -> Found {
        let theirs = self.worker_database.as_ref().filter(|theirs| **theirs != self.database)?;
        let says = format!("the worker writes to {theirs}, and baton reads {}", self.database);
        let advice = "let both have one database, unless these are two addresses of it";
        Some(Check::warn("database", says, advice))
    }
}
