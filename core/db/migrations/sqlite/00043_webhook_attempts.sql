-- +goose Up
-- The log of everything that was sent. response: the beginning of the answer's body.
CREATE TABLE webhook_attempts (
    id          INTEGER NOT NULL PRIMARY KEY,
    delivery_id INTEGER NOT NULL,
    attempt     INTEGER NOT NULL,
    duration_ms INTEGER NOT NULL,
    status      INTEGER NOT NULL, -- 0: no answer
    error       TEXT    NOT NULL,
    response    TEXT    NOT NULL,
    created_at  INTEGER NOT NULL
) STRICT;
CREATE INDEX webhook_attempts_delivery ON webhook_attempts (delivery_id, id);
CREATE INDEX webhook_attempts_created ON webhook_attempts (created_at);
