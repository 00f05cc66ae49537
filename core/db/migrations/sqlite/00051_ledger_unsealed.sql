-- +goose Up
-- Transactions that wait to be sealed.
CREATE TABLE ledger_unsealed (
    transaction_id INTEGER NOT NULL PRIMARY KEY
) STRICT;
