-- +goose Up
-- batch_id is 0 until the fact has been given to a batch.
CREATE TABLE outbox_facts (
    id         INTEGER NOT NULL PRIMARY KEY,
    batch_id   INTEGER NOT NULL,
    fact       TEXT    NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX outbox_facts_batch ON outbox_facts (batch_id, id);
