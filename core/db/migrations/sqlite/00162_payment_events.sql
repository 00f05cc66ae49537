-- +goose Up
-- What gateways told, as it was received and after it was verified. Nothing in it is changed or deleted.
-- changes: what it says, in our words.
CREATE TABLE payment_events (
    id          INTEGER NOT NULL PRIMARY KEY,
    gateway     TEXT NOT NULL,
    event_id    TEXT NOT NULL, -- of the gateway
    type        TEXT NOT NULL,
    changes     TEXT NOT NULL, -- JSON
    body        BLOB NOT NULL,
    received_at INTEGER NOT NULL,
    UNIQUE (gateway, event_id)
) STRICT;
