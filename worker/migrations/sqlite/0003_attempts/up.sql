-- One row per claim of an import: who claimed it, and how that ended. It outlives what ECS and Step Functions remember.
-- `ended_as` is SUCCESS, the failure's name, or REPLACED where a later claim found the attempt open.
CREATE TABLE import_attempts (
    import_id text NOT NULL REFERENCES imports (id) ON DELETE CASCADE,
    attempt integer NOT NULL CHECK (attempt >= 1),
    execution_arn text NOT NULL,
    worker text NOT NULL,
    started_at timestamp NOT NULL,
    finished_at timestamp,
    ended_as text,
    cause text,
    rows_done bigint NOT NULL DEFAULT 0,
    rejects bigint NOT NULL DEFAULT 0,
    bytes_done bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (import_id, attempt),
    CHECK ((finished_at IS NULL) = (ended_as IS NULL))
);

-- For the operator's searches, newest first, and for the ends per hour.
CREATE INDEX imports_table_name_created_at ON imports (table_name, created_at DESC, id);
CREATE INDEX imports_error_created_at ON imports (error, created_at DESC, id);
CREATE INDEX imports_finished_at ON imports (finished_at, status);
