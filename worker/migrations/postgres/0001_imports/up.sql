-- One row per import: what is to be imported, whose it is at the moment, and what became of it. A producer needs to give
-- `id`, `source` and `table_name` only. Timestamps are UTC, without a zone, as in SQLite.
CREATE TABLE imports (
    id text PRIMARY KEY CHECK (id ~ '^[A-Za-z0-9_-]{1,40}$'),
    source text NOT NULL,
    version_id text,
    table_name text NOT NULL,
    options text NOT NULL DEFAULT '{}',
    status text NOT NULL DEFAULT 'PENDING' CHECK (status IN ('PENDING', 'RUNNING', 'SUCCESS', 'FAILURE')),
    attempt integer NOT NULL DEFAULT 0 CHECK (attempt >= 0),
    execution_arn text,
    lease_expires_at timestamp,
    rows_done bigint NOT NULL DEFAULT 0,
    rejects bigint NOT NULL DEFAULT 0,
    bytes_done bigint NOT NULL DEFAULT 0,
    bytes_total bigint NOT NULL DEFAULT 0,
    error text,
    cause text,
    report text,
    created_at timestamp NOT NULL DEFAULT (now() AT TIME ZONE 'UTC'),
    updated_at timestamp NOT NULL DEFAULT (now() AT TIME ZONE 'UTC'),
    started_at timestamp,
    finished_at timestamp,
    CHECK (status <> 'RUNNING' OR (execution_arn IS NOT NULL AND lease_expires_at IS NOT NULL)),
    CHECK (status <> 'SUCCESS' OR report IS NOT NULL),
    CHECK (status <> 'FAILURE' OR error IS NOT NULL)
);

-- For the operator's lists: the newest, and the newest of a status.
CREATE INDEX imports_created_at ON imports (created_at DESC, id);
CREATE INDEX imports_status_created_at ON imports (status, created_at DESC, id);
