//! What queues, machines, function and container are set to, and which of these settings contradict each other. A setting
//! that could not be read contradicts nothing: the check that tried to read it says so.

mod rules;

use local_stack::Resources;
use worker::db::Database;

use super::check::Check;

/// The settings, as far as they could be read. Times are in seconds.
#[derive(Clone, Debug, Default)]
pub(super) struct Settings {
    /// Containers are started by AWS.
    pub(super) is_at_aws: bool,
    /// An embedded stack that moves nothing, because none is up.
    pub(super) is_at_rest: bool,

    // What the target is said to be.
    /// The queue that imports are started from.
    pub(super) queue_url: String,
    pub(super) import_state_machine_arn: String,
    pub(super) dead_letter_state_machine_arn: String,
    /// Where `baton` reads the imports.
    pub(super) database: String,

    // The queues.
    pub(super) visibility_timeout_s: Option<f64>,
    pub(super) retention_s: Option<f64>,
    pub(super) is_fifo: bool,
    /// Whether the queue's attributes were read.
    pub(super) queue_is_known: bool,
    pub(super) redrive_target_arn: Option<String>,
    pub(super) max_receive_count: Option<f64>,
    pub(super) dead_letter_queue_arn: Option<String>,
    pub(super) dead_letter_retention_s: Option<f64>,

    // The import machine.
    pub(super) hold_s: Option<f64>,
    pub(super) run_timeout_s: Option<f64>,
    pub(super) heartbeat_s: Option<f64>,

    // The worker's container.
    pub(super) heartbeat_interval_s: Option<f64>,
    pub(super) stall_limit_s: Option<f64>,
    pub(super) lease_s: Option<f64>,
    /// Where the worker writes; none where its URL is a secret of its own.
    pub(super) worker_database: Option<String>,

    // The function and its mapping.
    pub(super) function_timeout_s: Option<f64>,
    pub(super) function_hold_s: Option<f64>,
    pub(super) function_queue_url: Option<String>,
    pub(super) function_import_machine: Option<String>,
    pub(super) function_dead_letter_machine: Option<String>,
    /// How many messages the function gets at once; none where there is no mapping.
    pub(super) batch_size: Option<f64>,
    pub(super) reports_item_failures: Option<bool>,
    pub(super) mapping_state: Option<String>,
}

impl Settings {
    /// What the target is said to be; nothing is read yet.
    pub(super) fn of(resources: &Resources, database: &Database) -> Self {
        Self {
            queue_url: resources.import_queue_url().to_owned(),
            import_state_machine_arn: resources.import_state_machine_arn.clone(),
            dead_letter_state_machine_arn: resources.dead_letter_state_machine_arn.clone(),
            database: database.display_name(),
            ..Self::default()
        }
    }

    /// What contradicts what.
    pub(super) fn contradictions(&self) -> Vec<Check> {
        let rules: [fn(&Self) -> Option<Check>; 15] = [
            Self::visibility_covers_the_function,
            Self::hold_covers_an_import,
            Self::hold_is_one,
            Self::heartbeat_covers_some_beats,
            Self::heartbeat_covers_the_start,
            Self::beats_come_within_the_stall_limit,
            Self::a_hang_is_seen_before_the_time_is_up,
            Self::lease_covers_the_beats,
            Self::lease_covers_the_heartbeat,
            Self::redrive_policy_leads_to_the_dead_letters,
            Self::receives_are_enough,
            Self::dead_letters_are_kept_as_long,
            Self::the_mapping_asks_for_single_failures,
            Self::the_function_belongs_to_the_target,
            Self::the_worker_writes_where_baton_reads,
        ];
        let found: Vec<_> = rules.iter().filter_map(|rule| rule(self)).collect();
        if found.is_empty() {
            vec![Check::ok("settings", "no contradiction among those that were read")]
        } else {
            found
        }
    }
}

#[cfg(test)]
mod tests;
