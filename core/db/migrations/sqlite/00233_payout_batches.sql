-- +goose Up
-- created_by is a person, created_token a machine. Totals are summed up from payouts and stored nowhere.
CREATE TABLE payout_batches (
    id               INTEGER NOT NULL PRIMARY KEY,
    currency         TEXT    NOT NULL,
    executor         TEXT    NOT NULL,
    state            TEXT    NOT NULL,
    note             TEXT    NOT NULL,
    created_by       INTEGER NOT NULL,
    created_token    INTEGER NOT NULL,
    approvals_needed INTEGER NOT NULL,
    file_sha256      TEXT    NOT NULL,
    file_at          INTEGER NOT NULL,
    file_downloads   INTEGER NOT NULL,
    created_at       INTEGER NOT NULL,
    updated_at       INTEGER NOT NULL,
    CHECK (state IN ('created', 'approved', 'executing', 'completed', 'cancelled'))
) STRICT;
CREATE INDEX payout_batches_state ON payout_batches (state, id);
