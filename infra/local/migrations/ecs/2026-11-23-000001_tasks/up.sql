-- One row for each task. `task` is what DescribeTasks answers; the other columns are what tasks are found by.
CREATE TABLE tasks (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    arn TEXT NOT NULL UNIQUE,
    family TEXT NOT NULL,
    started_by TEXT,
    desired_status TEXT NOT NULL,
    stopped_at_ms BIGINT,
    pid INTEGER,
    client_token TEXT UNIQUE,
    request_digest TEXT,
    task TEXT NOT NULL
);

CREATE INDEX tasks_that_run ON tasks (arn) WHERE stopped_at_ms IS NULL;
