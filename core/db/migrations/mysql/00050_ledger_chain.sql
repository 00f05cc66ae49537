-- +goose NO TRANSACTION
-- +goose Up
-- The hash chain over transactions: seq is dense from 1, hash is hexadecimal. late: accepted by an operator although it
-- came long after others that were posted later.
CREATE TABLE IF NOT EXISTS ledger_chain (
    seq            BIGINT   NOT NULL PRIMARY KEY,
    transaction_id BIGINT   NOT NULL,
    sealed_at      BIGINT   NOT NULL,
    late           SMALLINT NOT NULL,
    hash           CHAR(64) NOT NULL,
    UNIQUE KEY ledger_chain_transaction (transaction_id),
    FOREIGN KEY (transaction_id) REFERENCES ledger_transactions (id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
