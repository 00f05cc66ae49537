-- +goose Up
-- What was posted before there was a chain.
INSERT INTO ledger_unsealed (transaction_id) SELECT id FROM ledger_transactions;
