-- Baton's own tables. PostgreSQL has the same in a schema of their own: baton_ledger.jobs, baton_ledger.attempts and so on. Timestamps
-- are UTC, without a zone, as in PostgreSQL.

-- The ledger: one row per job, with what is to be done, whose it is at the moment, and what became of it. A program that registers
-- a job itself needs to give `id`, `kind` and `input` only.
CREATE TABLE baton_jobs (
    id text NOT NULL PRIMARY KEY CHECK (length(id) BETWEEN 1 AND 40 AND id NOT GLOB '*[^A-Za-z0-9_-]*' AND id NOT GLOB '-*'),
    kind text NOT NULL CHECK (length(kind) BETWEEN 1 AND 20 AND kind NOT GLOB '*[^a-z0-9-]*' AND kind GLOB '[a-z]*'),
    -- JSON; what it means is the kind's own.
    input text NOT NULL DEFAULT '{}',
    -- What the job is about, for lists and searches: an import's table. And the object that it reads, `s3://bucket/key`. Both are
    -- written at the claim where they are not given.
    subject text,
    source text,
    status text NOT NULL DEFAULT 'PENDING' CHECK (status IN ('PENDING', 'RUNNING', 'SUCCESS', 'FAILURE')),
    attempt integer NOT NULL DEFAULT 0 CHECK (attempt >= 0),
    execution_arn text,
    lease_expires_at timestamp,
    -- How far the last attempt came, as JSON: `done`, `total`, `unit`, `note`, and what the kind adds.
    progress text,
    error text,
    cause text,
    -- What the work came to, as JSON, once it is SUCCESS.
    result text,
    -- What an attempt that failed leaves beside its cause, as JSON.
    details text,
    created_at timestamp NOT NULL DEFAULT (strftime('%Y-%m-%d %H:%M:%f', 'now')),
    updated_at timestamp NOT NULL DEFAULT (strftime('%Y-%m-%d %H:%M:%f', 'now')),
    started_at timestamp,
    finished_at timestamp,
    CHECK (status <> 'RUNNING' OR (execution_arn IS NOT NULL AND lease_expires_at IS NOT NULL)),
    CHECK (status <> 'FAILURE' OR error IS NOT NULL)
);

-- One row per claim of a job: who claimed it, and how that ended. It outlives what ECS and Step Functions remember.
-- `ended_as` is SUCCESS, the failure's name, or REPLACED where a later claim found the attempt open.
CREATE TABLE baton_attempts (
    job_id text NOT NULL REFERENCES baton_jobs (id) ON DELETE CASCADE,
    attempt integer NOT NULL CHECK (attempt >= 1),
    execution_arn text NOT NULL,
    worker text NOT NULL,
    started_at timestamp NOT NULL,
    finished_at timestamp,
    ended_as text,
    cause text,
    progress text,
    PRIMARY KEY (job_id, attempt),
    CHECK ((finished_at IS NULL) = (ended_as IS NULL))
);

-- Which files imports have loaded into which tables, so that a file that comes again is noticed. `table_name` is the table's full
-- name as SQL, `sha256` the object's in hexadecimal digits.
CREATE TABLE baton_imported_files (
    sha256 text NOT NULL,
    table_name text NOT NULL,
    job_id text NOT NULL REFERENCES baton_jobs (id) ON DELETE CASCADE,
    imported_at timestamp NOT NULL,
    PRIMARY KEY (sha256, table_name, job_id)
);

-- For the operator's lists and searches, newest first, and for the ends per hour.
CREATE INDEX baton_jobs_created_at ON baton_jobs (created_at DESC, id);
CREATE INDEX baton_jobs_kind_created_at ON baton_jobs (kind, created_at DESC, id);
CREATE INDEX baton_jobs_status_created_at ON baton_jobs (status, created_at DESC, id);
CREATE INDEX baton_jobs_subject_created_at ON baton_jobs (subject, created_at DESC, id);
CREATE INDEX baton_jobs_error_created_at ON baton_jobs (error, created_at DESC, id);
CREATE INDEX baton_jobs_finished_at ON baton_jobs (finished_at, status);
-- For the deletion of a job.
CREATE INDEX baton_imported_files_job_id ON baton_imported_files (job_id);
