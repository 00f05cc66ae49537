-- +goose Up
-- Webhooks that the sandbox gateway has to send, once each; copies are rows of their own.
CREATE TABLE sandbox_webhooks (
    id       INTEGER NOT NULL PRIMARY KEY,
    event_id TEXT NOT NULL,
    body     BLOB NOT NULL,
    attempts INTEGER NOT NULL,
    send_at  INTEGER NOT NULL
) STRICT;
CREATE INDEX sandbox_webhooks_due ON sandbox_webhooks (send_at, id);
