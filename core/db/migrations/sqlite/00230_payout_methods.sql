-- +goose Up
-- slot is 0 while the method is in use and its own id afterwards: one in use for each affiliate and currency. sealed holds the
-- account, fingerprint a keyed hash of it. Rows stay: payouts name them. shared_ok: finance lets another affiliate use the same account.
CREATE TABLE payout_methods (
    id           INTEGER NOT NULL PRIMARY KEY,
    affiliate_id INTEGER NOT NULL,
    currency     TEXT    NOT NULL,
    kind         TEXT    NOT NULL,
    country      TEXT    NOT NULL,
    sealed       TEXT    NOT NULL,
    masked       TEXT    NOT NULL,
    fingerprint  TEXT    NOT NULL,
    slot         INTEGER NOT NULL,
    frozen_until INTEGER NOT NULL,
    shared_ok    INTEGER NOT NULL,
    created_at   INTEGER NOT NULL,
    ended_at     INTEGER NOT NULL,
    UNIQUE (affiliate_id, currency, slot),
    CHECK (kind IN ('bank_in', 'iban', 'upi', 'paypal')),
    FOREIGN KEY (affiliate_id) REFERENCES affiliates (id)
) STRICT;
CREATE INDEX payout_methods_fingerprint ON payout_methods (fingerprint, slot);
