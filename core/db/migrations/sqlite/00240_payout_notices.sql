-- +goose Up
-- What providers told us, once each. They only make us look.
CREATE TABLE payout_notices (
    id          INTEGER NOT NULL PRIMARY KEY,
    executor    TEXT    NOT NULL,
    event_key   TEXT    NOT NULL,
    event       TEXT    NOT NULL,
    payout_id   INTEGER NOT NULL,
    received_at INTEGER NOT NULL,
    UNIQUE (executor, event_key)
) STRICT;
