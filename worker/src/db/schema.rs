//! Baton's own tables, as diesel checks the queries against them. The same for both databases; the migrations make them.

diesel::table! {
    /// One row per import.
    imports (id) {
        /// The import's id.
        id -> Text,
        /// `s3://bucket/key`.
        source -> Text,
        /// The version of the object.
        version_id -> Nullable<Text>,
        /// The table that the import is loaded into.
        table_name -> Text,
        /// [`statemachine::ImportOptions`] as JSON.
        options -> Text,
        /// `PENDING`, `RUNNING`, `SUCCESS` or `FAILURE`.
        status -> Text,
        /// How often the import was claimed.
        attempt -> Integer,
        /// The execution that claimed it last.
        execution_arn -> Nullable<Text>,
        /// Until when a `RUNNING` import may not be claimed by another execution.
        lease_expires_at -> Nullable<Timestamp>,
        /// Rows loaded.
        rows_done -> BigInt,
        /// Rows rejected.
        rejects -> BigInt,
        /// Bytes read.
        bytes_done -> BigInt,
        /// Bytes of the source, 0 while not known.
        bytes_total -> BigInt,
        /// The failure's name.
        error -> Nullable<Text>,
        /// The failure's cause.
        cause -> Nullable<Text>,
        /// [`statemachine::Report`] as JSON.
        report -> Nullable<Text>,
        /// When the import was registered.
        created_at -> Timestamp,
        /// When the row was last changed.
        updated_at -> Timestamp,
        /// When the last attempt began.
        started_at -> Nullable<Timestamp>,
        /// When the last attempt ended.
        finished_at -> Nullable<Timestamp>,
        /// [`statemachine::Findings`] of the last attempt as JSON.
        findings -> Nullable<Text>,
        /// SHA-256 of the object that was imported, in hexadecimal digits.
        sha256 -> Nullable<Text>,
    }
}

diesel::table! {
    /// One row per claim of an import.
    import_attempts (import_id, attempt) {
        /// The import's id.
        import_id -> Text,
        /// The attempt's number, from 1.
        attempt -> Integer,
        /// The execution that claimed the import.
        execution_arn -> Text,
        /// Where the worker ran.
        worker -> Text,
        /// When it claimed the import.
        started_at -> Timestamp,
        /// When the attempt ended, or was found to have ended.
        finished_at -> Nullable<Timestamp>,
        /// `SUCCESS`, the failure's name, or `REPLACED`.
        ended_as -> Nullable<Text>,
        /// The failure's cause.
        cause -> Nullable<Text>,
        /// Rows loaded.
        rows_done -> BigInt,
        /// Rows rejected.
        rejects -> BigInt,
        /// Bytes read.
        bytes_done -> BigInt,
    }
}

diesel::table! {
    /// The progress of running imports, in the database beside a SQLite database.
    import_progress (import_id) {
        /// The import's id.
        import_id -> Text,
        /// The attempt that these counters are of.
        attempt -> Integer,
        /// Rows loaded.
        rows_done -> BigInt,
        /// Rows rejected.
        rejects -> BigInt,
        /// Bytes read.
        bytes_done -> BigInt,
        /// Bytes of the source, 0 while not known.
        bytes_total -> BigInt,
        /// When this was written.
        beat_at -> Timestamp,
    }
}
