-- +goose Up
-- Comparisons of our payments with the list of a gateway. differences: JSON.
CREATE TABLE payment_reconciliations (
    id               INTEGER NOT NULL PRIMARY KEY,
    gateway          TEXT NOT NULL,
    from_at          INTEGER NOT NULL,
    to_at            INTEGER NOT NULL,
    payments         INTEGER NOT NULL, -- of the gateway, in the period
    refunds          INTEGER NOT NULL,
    difference_count INTEGER NOT NULL,
    differences      TEXT NOT NULL,
    created_at       INTEGER NOT NULL
) STRICT;
