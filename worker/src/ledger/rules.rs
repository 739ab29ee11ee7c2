//! What the ledger asks of a kind of jobs, to which their input is JSON and no more.

use serde_json::Value;
use statemachine::Kind;

/// A kind of jobs, as far as the ledger has to know it.
#[derive(Debug)]
pub struct Rules {
    /// Its name.
    pub kind: Kind,
    /// An input as the kind understands it: of two that ask for the same it makes equal ones. One that it does not understand
    /// stays as it is.
    pub normal: fn(Value) -> Value,
    /// What lists and searches are to show of an input.
    pub about: fn(&Value) -> About,
}

/// What lists and searches show of a job beside its id.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct About {
    /// What it is about: an import's table.
    pub subject: Option<String>,
    /// The object that it reads, `s3://bucket/key`.
    pub source: Option<String>,
}
