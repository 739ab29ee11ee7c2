CREATE TABLE machines (
    arn TEXT PRIMARY KEY NOT NULL,
    name TEXT NOT NULL,
    created_ms BIGINT NOT NULL
);

-- A running execution keeps the definition it started with: definitions are added, never changed.
CREATE TABLE revisions (
    id INTEGER PRIMARY KEY NOT NULL,
    machine_arn TEXT NOT NULL REFERENCES machines (arn),
    revision_id TEXT NOT NULL,
    created_ms BIGINT NOT NULL,
    definition TEXT NOT NULL
);

CREATE INDEX revisions_by_machine ON revisions (machine_arn, id);

-- The wide columns come last: a list reads none of their pages.
CREATE TABLE executions (
    id INTEGER PRIMARY KEY NOT NULL,
    arn TEXT NOT NULL UNIQUE,
    machine_arn TEXT NOT NULL REFERENCES machines (arn),
    name TEXT NOT NULL,
    status TEXT NOT NULL,
    started_ms BIGINT NOT NULL,
    stopped_ms BIGINT,
    redrive_count INTEGER NOT NULL,
    redriven_ms BIGINT,
    -- When the timer wakes it.
    deadline_ms BIGINT,
    revision BIGINT NOT NULL REFERENCES revisions (id),
    -- Counts the steps that were stored: a step that was computed from an older state is computed again.
    version BIGINT NOT NULL,
    input TEXT NOT NULL,
    state TEXT NOT NULL
);

CREATE INDEX executions_by_start ON executions (machine_arn, started_ms, id);
CREATE INDEX executions_by_status ON executions (machine_arn, status, started_ms, id);
CREATE INDEX executions_by_deadline ON executions (deadline_ms) WHERE deadline_ms IS NOT NULL;
CREATE INDEX executions_open ON executions (id) WHERE status = 'RUNNING';

CREATE TABLE history (
    execution BIGINT NOT NULL REFERENCES executions (id),
    id BIGINT NOT NULL,
    previous_id BIGINT NOT NULL,
    at_ms BIGINT NOT NULL,
    event_type TEXT NOT NULL,
    -- An object with the one field of details that the type has, or none.
    details TEXT NOT NULL,
    PRIMARY KEY (execution, id)
) WITHOUT ROWID;

-- Every token that was ever given out, so that a dead one is told from one that never was.
CREATE TABLE tokens (
    token TEXT PRIMARY KEY NOT NULL,
    execution BIGINT NOT NULL REFERENCES executions (id)
) WITHOUT ROWID;

-- RedriveExecution is idempotent by the client's token.
CREATE TABLE redrives (
    execution BIGINT NOT NULL REFERENCES executions (id),
    client_token TEXT NOT NULL,
    redriven_ms BIGINT NOT NULL,
    PRIMARY KEY (execution, client_token)
) WITHOUT ROWID;
