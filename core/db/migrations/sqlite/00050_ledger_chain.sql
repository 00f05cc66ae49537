-- +goose Up
-- The hash chain over transactions: seq is dense from 1, hash is hexadecimal. late: accepted by an operator although it
-- came long after others that were posted later.
CREATE TABLE ledger_chain (
    seq            INTEGER NOT NULL PRIMARY KEY,
    transaction_id INTEGER NOT NULL UNIQUE REFERENCES ledger_transactions (id),
    sealed_at      INTEGER NOT NULL,
    late           INTEGER NOT NULL,
    hash           TEXT    NOT NULL
) STRICT;
