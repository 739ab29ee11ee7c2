//! What a worker says of a job that needs no further attempt, and how far one is that runs.

mod brief;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::job_id::JobId;
use crate::kind::Kind;

/// The most that Step Functions takes as output, in bytes of UTF-8 (`API_SendTaskSuccess`).
pub const MAX_OUTPUT_BYTES: usize = 262_144;

/// What a worker says of a job that needs no further attempt; the output of `RunImport`. `R` is the result of its kind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report<R = Value> {
    /// The job that this is about. `RunImport` tells by this field that the container reported, and did not merely exit with 0.
    pub id: JobId,
    /// Its kind.
    pub kind: Kind,
    /// What became of it.
    pub outcome: Outcome,
    /// The attempt that did the work, counted from 1.
    pub attempt: i32,
    /// Time from the claim of that attempt to its end, in milliseconds.
    pub elapsed_ms: u64,
    /// What the work came to, in the words of its kind. `null` where nothing is known of it: of a duplicate that runs elsewhere.
    pub result: R,
}

/// What became of a job that did not fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Outcome {
    /// This execution's worker did it.
    Done,
    /// Another execution has done it, or is doing so under a live lease; this one did nothing.
    Duplicate,
}

/// How far a job is that runs. A kind may say more beside it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Progress {
    /// How much is done, in units.
    pub done: u64,
    /// How much there is, in units; 0 while it is not known.
    pub total: u64,
    /// What is counted: `bytes`, `pages`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// What it is at, in the words of the work.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

impl Report {
    /// The report as JSON that Step Functions takes.
    #[must_use]
    pub fn to_output(&self) -> String {
        let json = json(self);
        if json.len() <= MAX_OUTPUT_BYTES { json } else { json_of_brief(self) }
    }

    /// The report without what the ledger has as well: numbers, and texts that are short and plain.
    #[must_use]
    pub fn brief(&self) -> Self {
        Self { result: brief::brief(&self.result), ..self.clone() }
    }
}

fn json_of_brief(report: &Report) -> String {
    json(&report.brief())
}

#[expect(clippy::expect_used, reason = "what was read from JSON, or made of strings and numbers")]
fn json(report: &Report) -> String {
    serde_json::to_string(report).expect("a report is plain JSON")
}
