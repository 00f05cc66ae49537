-- +goose NO TRANSACTION
-- +goose Up
-- Transactions that wait to be sealed.
CREATE TABLE IF NOT EXISTS ledger_unsealed (
    transaction_id BIGINT NOT NULL PRIMARY KEY
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
