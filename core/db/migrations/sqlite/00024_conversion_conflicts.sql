-- +goose Up
-- Events that were not booked and have no row of their own in conversions: the key is taken by other input, or the
-- event is not valid. Each distinct one is kept once, whole.
CREATE TABLE conversion_conflicts (
    id         INTEGER NOT NULL PRIMARY KEY,
    program_id INTEGER NOT NULL,
    type       TEXT    NOT NULL,
    txn_id     TEXT    NOT NULL,
    hash       BLOB    NOT NULL,
    event      TEXT    NOT NULL,
    detail     TEXT    NOT NULL,
    created_at INTEGER NOT NULL,
    UNIQUE (program_id, type, txn_id, hash)
) STRICT;
