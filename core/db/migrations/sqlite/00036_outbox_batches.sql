-- +goose Up
-- A batch keeps its number and its facts until the sink has confirmed it, over retries and restarts.
CREATE TABLE outbox_batches (
    id           INTEGER NOT NULL PRIMARY KEY,
    created_at   INTEGER NOT NULL,
    delivered_at INTEGER NOT NULL
) STRICT;
CREATE INDEX outbox_batches_delivered ON outbox_batches (delivered_at, id);
