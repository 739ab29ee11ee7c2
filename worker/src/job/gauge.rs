//! What is seen of the work from outside while it runs, and how it is asked to stop.

use serde_json::Value;

/// Shared between the work's threads and the heartbeat. None of it may wait.
pub trait Gauge: Send + Sync + 'static {
    /// How often the work has got on so far: it beats only while this grows.
    fn steps(&self) -> u64;

    /// How far the work is, as JSON: `done`, `total`, `unit` and `note` of [`statemachine::Progress`], and what the kind adds.
    fn told(&self) -> Value;

    /// What an attempt that fails leaves beside its cause, as JSON.
    fn details(&self) -> Option<Value> {
        None
    }

    /// Asks the work to stop as soon as it can.
    fn request_stop(&self);
}
