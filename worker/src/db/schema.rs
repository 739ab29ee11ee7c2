//! Baton's own tables, as diesel checks the queries against them, by their names in SQLite. In PostgreSQL they are in the schema
//! `baton_ledger`: `db/postgres/names.rs`. The migrations make them.

diesel::table! {
    /// The ledger: one row per job.
    #[sql_name = "baton_jobs"]
    jobs (id) {
        /// The job's id.
        id -> Text,
        /// Its kind.
        kind -> Text,
        /// What is to be done, as JSON of the kind.
        input -> Text,
        /// What it is about: an import's table.
        subject -> Nullable<Text>,
        /// The object that it reads, `s3://bucket/key`.
        source -> Nullable<Text>,
        /// `PENDING`, `RUNNING`, `SUCCESS` or `FAILURE`.
        status -> Text,
        /// How often the job was claimed.
        attempt -> Integer,
        /// The execution that claimed it last.
        execution_arn -> Nullable<Text>,
        /// Until when a `RUNNING` job may not be claimed by another execution.
        lease_expires_at -> Nullable<Timestamp>,
        /// How far the last attempt came, as JSON.
        progress -> Nullable<Text>,
        /// The failure's name.
        error -> Nullable<Text>,
        /// The failure's cause.
        cause -> Nullable<Text>,
        /// What the work came to, as JSON of the kind.
        result -> Nullable<Text>,
        /// What a failed attempt leaves beside its cause, as JSON of the kind.
        details -> Nullable<Text>,
        /// When the job was registered.
        created_at -> Timestamp,
        /// When the row was last changed.
        updated_at -> Timestamp,
        /// When the last attempt began.
        started_at -> Nullable<Timestamp>,
        /// When the last attempt ended.
        finished_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    /// One row per claim of a job.
    #[sql_name = "baton_attempts"]
    attempts (job_id, attempt) {
        /// The job's id.
        job_id -> Text,
        /// The attempt's number, from 1.
        attempt -> Integer,
        /// The execution that claimed the job.
        execution_arn -> Text,
        /// Where the worker ran.
        worker -> Text,
        /// When it claimed the job.
        started_at -> Timestamp,
        /// When the attempt ended, or was found to have ended.
        finished_at -> Nullable<Timestamp>,
        /// `SUCCESS`, the failure's name, or `REPLACED`.
        ended_as -> Nullable<Text>,
        /// The failure's cause.
        cause -> Nullable<Text>,
        /// How far it came, as JSON.
        progress -> Nullable<Text>,
        /// The version of the worker that made it.
        version -> Nullable<Text>,
    }
}

diesel::table! {
    /// The migrations that are applied.
    #[sql_name = "baton_migrations"]
    migrations (version) {
        /// The migration's version: `0001`.
        version -> Text,
        /// When it was applied, UTC.
        applied_at -> Timestamp,
    }
}

diesel::table! {
    /// The files that imports have loaded, each with its table.
    #[sql_name = "baton_imported_files"]
    imported_files (sha256, table_name, job_id) {
        /// The object's SHA-256, in hexadecimal digits.
        sha256 -> Text,
        /// The full name of the table, as SQL.
        table_name -> Text,
        /// The import.
        job_id -> Text,
        /// When it committed.
        imported_at -> Timestamp,
    }
}

diesel::table! {
    /// The progress of running jobs, in the database beside a SQLite database.
    #[sql_name = "baton_progress"]
    job_progress (job_id) {
        /// The job's id.
        job_id -> Text,
        /// The attempt whose progress this is.
        attempt -> Integer,
        /// How far it is, as JSON.
        progress -> Text,
        /// When this was written.
        beat_at -> Timestamp,
    }
}
