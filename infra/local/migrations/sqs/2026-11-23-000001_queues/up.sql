-- All times are milliseconds since 1970.

CREATE TABLE queues (
    id                          INTEGER PRIMARY KEY NOT NULL,
    name                        TEXT    NOT NULL UNIQUE,
    visibility_timeout_s        BIGINT  NOT NULL,
    retention_s                 BIGINT  NOT NULL,
    delay_s                     BIGINT  NOT NULL,
    maximum_message_bytes       BIGINT  NOT NULL,
    wait_s                      BIGINT  NOT NULL,
    -- As JSON.
    redrive_policy              TEXT,
    fifo                        BOOLEAN NOT NULL,
    content_based_deduplication BOOLEAN NOT NULL,
    created_at                  BIGINT  NOT NULL,
    modified_at                 BIGINT  NOT NULL,
    purged_at                   BIGINT
);

CREATE TABLE messages (
    -- Never used twice, so that it can serve as the sequence number.
    sequence          INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    queue_id          INTEGER NOT NULL REFERENCES queues (id),
    message_id        TEXT    NOT NULL,
    body              TEXT    NOT NULL,
    -- The message's attributes as JSON, as they were sent.
    attributes        TEXT    NOT NULL,
    trace_header      TEXT,
    group_id          TEXT,
    deduplication_id  TEXT,
    sent_at           BIGINT  NOT NULL,
    -- From this moment the message can be received: sent with a delay or hidden by a receive, it lies ahead.
    visible_at        BIGINT  NOT NULL,
    first_received_at BIGINT,
    -- Across all queues, as ApproximateReceiveCount shows it, and in this queue, as the redrive policy counts it.
    receive_count     BIGINT  NOT NULL,
    receives_here     BIGINT  NOT NULL,
    -- Names the last receive; no message in flight is without it.
    receipt           TEXT,
    -- The queue whose redrive policy moved the message here.
    source_arn        TEXT
);
CREATE UNIQUE INDEX messages_by_id ON messages (queue_id, message_id);
CREATE INDEX messages_by_visibility ON messages (queue_id, visible_at, sequence);
CREATE INDEX messages_by_age ON messages (queue_id, sent_at);
CREATE INDEX messages_by_group ON messages (queue_id, group_id, visible_at);

-- What FIFO queues accepted in the last five minutes, deleted messages too.
CREATE TABLE deduplications (
    queue_id         INTEGER NOT NULL REFERENCES queues (id),
    deduplication_id TEXT    NOT NULL,
    message_id       TEXT    NOT NULL,
    sequence         BIGINT  NOT NULL,
    sent_at          BIGINT  NOT NULL,
    PRIMARY KEY (queue_id, deduplication_id)
);
CREATE INDEX deduplications_by_age ON deduplications (sent_at);

CREATE TABLE move_tasks (
    id              INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    source_arn      TEXT   NOT NULL,
    destination_arn TEXT,
    moved           BIGINT NOT NULL,
    to_move         BIGINT NOT NULL,
    failure_reason  TEXT,
    started_at      BIGINT NOT NULL
);
CREATE INDEX move_tasks_by_source ON move_tasks (source_arn, id);
