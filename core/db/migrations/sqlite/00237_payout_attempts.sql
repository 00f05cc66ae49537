-- +goose Up
-- One for each payout, for ever: its key and its request are stored before the first call and never changed.
CREATE TABLE payout_attempts (
    payout_id       INTEGER NOT NULL PRIMARY KEY,
    executor        TEXT    NOT NULL,
    idempotency_key TEXT    NOT NULL,
    request         TEXT    NOT NULL,
    provider_id     TEXT    NOT NULL,
    sends           INTEGER NOT NULL,
    lookups         INTEGER NOT NULL,
    sent_at         INTEGER NOT NULL,
    last_error      TEXT    NOT NULL,
    created_at      INTEGER NOT NULL,
    UNIQUE (idempotency_key),
    FOREIGN KEY (payout_id) REFERENCES payouts (id)
) STRICT;
