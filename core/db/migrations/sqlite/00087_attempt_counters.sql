-- +goose Up
-- Failed attempts by what they have in common, which is hashed. blocked_until: no further attempt before.
CREATE TABLE attempt_counters (
    hash          BLOB NOT NULL PRIMARY KEY,
    failures      INTEGER NOT NULL,
    blocked_until INTEGER NOT NULL,
    updated_at    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX attempt_counters_age ON attempt_counters (updated_at);
