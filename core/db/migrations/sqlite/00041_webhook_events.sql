-- +goose Up
-- What is told, frozen as it was when it happened. Written with it in one transaction, if anybody is to be told.
CREATE TABLE webhook_events (
    id         INTEGER NOT NULL PRIMARY KEY,
    name       TEXT    NOT NULL,
    payload    TEXT    NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;
