//! The variables that `RunImport` sets in the container, beside the container's own configuration. A test holds the
//! names against the definition.

/// The task token of this attempt: the right to beat for it and to end it. A secret; it is never logged.
pub const TASK_TOKEN: &str = "TASK_TOKEN";

/// The ARN of the execution that started the container. It owns the claim on the import's row.
pub const EXECUTION_ARN: &str = "EXECUTION_ARN";

/// The [`TraceHeader`](crate::TraceHeader) of the message; empty where it has none.
pub const TRACE_HEADER: &str = "TRACE_HEADER";

/// The [`Import`](crate::Import), as JSON.
pub const IMPORT: &str = "IMPORT";
