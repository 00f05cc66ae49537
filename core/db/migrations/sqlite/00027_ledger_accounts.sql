-- +goose Up
-- owner_id is the affiliate, or 0 for the business itself.
CREATE TABLE ledger_accounts (
    id         INTEGER NOT NULL PRIMARY KEY,
    owner_id   INTEGER NOT NULL,
    kind       TEXT    NOT NULL,
    currency   TEXT    NOT NULL,
    created_at INTEGER NOT NULL,
    UNIQUE (owner_id, kind, currency)
) STRICT;
