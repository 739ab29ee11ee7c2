-- Baton's own tables have a schema of their own: a database may have tables of any name beside them. SQLite, which has no
-- schemas, has the same tables as baton_jobs, baton_attempts and so on. Timestamps are UTC, without a zone, as in SQLite.

-- The ledger: one row per job, with what is to be done, whose it is at the moment, and what became of it. A program that registers
-- a job itself needs to give `id`, `kind` and `input` only.
CREATE TABLE baton_ledger.jobs (
    id text PRIMARY KEY CHECK (id ~ '^[A-Za-z0-9_][A-Za-z0-9_-]{0,39}$'),
    kind text NOT NULL CHECK (kind ~ '^[a-z][a-z0-9-]{0,19}$'),
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
    created_at timestamp NOT NULL DEFAULT (now() AT TIME ZONE 'UTC'),
    updated_at timestamp NOT NULL DEFAULT (now() AT TIME ZONE 'UTC'),
    started_at timestamp,
    finished_at timestamp,
    CHECK (status <> 'RUNNING' OR (execution_arn IS NOT NULL AND lease_expires_at IS NOT NULL)),
    CHECK (status <> 'FAILURE' OR error IS NOT NULL)
);

-- One row per claim of a job: who claimed it, and how that ended. It outlives what ECS and Step Functions remember.
-- `ended_as` is SUCCESS, the failure's name, or REPLACED where a later claim found the attempt open.
CREATE TABLE baton_ledger.attempts (
    job_id text NOT NULL REFERENCES baton_ledger.jobs (id) ON DELETE CASCADE,
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
CREATE TABLE baton_ledger.imported_files (
    sha256 text NOT NULL,
    table_name text NOT NULL,
    job_id text NOT NULL REFERENCES baton_ledger.jobs (id) ON DELETE CASCADE,
    imported_at timestamp NOT NULL,
    PRIMARY KEY (sha256, table_name, job_id)
);

-- For the operator's lists and searches, newest first, and for the ends per hour.
CREATE INDEX jobs_created_at ON baton_ledger.jobs (created_at DESC, id);
CREATE INDEX jobs_kind_created_at ON baton_ledger.jobs (kind, created_at DESC, id);
CREATE INDEX jobs_status_created_at ON baton_ledger.jobs (status, created_at DESC, id);
CREATE INDEX jobs_subject_created_at ON baton_ledger.jobs (subject, created_at DESC, id);
CREATE INDEX jobs_error_created_at ON baton_ledger.jobs (error, created_at DESC, id);
CREATE INDEX jobs_finished_at ON baton_ledger.jobs (finished_at, status);
-- For the deletion of a job.
CREATE INDEX imported_files_job_id ON baton_ledger.imported_files (job_id);
