#![doc = include_str!("../README.md")]

mod execution;
mod exit_code;
mod failure_name;
mod import;
mod import_result;
mod job_id;
mod kind;
pub mod lane;
mod message;
mod options;
mod report;
mod s3_event;
mod task;
mod text;
mod trace_header;
mod unique;

pub use execution::{ExecutionInput, ExecutionName, InputTooLarge, InvalidMessage, MAX_INPUT_BYTES, Message};
pub use exit_code::ExitCode;
pub use failure_name::FailureName;
pub use import::{Import, ImportInput, MAX_QUOTED_IMPORT_CHARS, Source};
pub use import_result::{Findings, ImportProgress, ImportResult, RejectedRow, RejectsFile};
pub use job_id::{InvalidJobId, JobId};
pub use kind::{InvalidKind, Kind};
pub use message::{Body, import_named_in, parse_body};
pub use options::{
    Delimiter, EmptyFields, Encoding, Escape, ImportOptions, OnConflict, RecordLimit, RejectLimit,
};
pub use report::{MAX_OUTPUT_BYTES, Outcome, Progress, Report};
pub use s3_event::is_import_key;
pub use task::{EXECUTION_ARN, IMPORT, TASK_TOKEN, TRACE_HEADER};
pub use text::{cut, printable};
pub use trace_header::{InvalidTraceHeader, TraceHeader};

/// The definition of the machine that runs one import, in Amazon States Language. `${Name}` is a substitution that the
/// template (on AWS) or the embedded stack (locally) fills in.
pub const IMPORT_DEFINITION: &str = include_str!("../import.asl.json");

/// The definition of the machine that settles the message of an execution that ended without success.
pub const DEAD_LETTER_DEFINITION: &str = include_str!("../dead-letter.asl.json");
