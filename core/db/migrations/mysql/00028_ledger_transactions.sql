-- +goose NO TRANSACTION
-- +goose Up
-- conversion_id and commission_id say what the transaction is about; 0: nothing of that kind.
CREATE TABLE IF NOT EXISTS ledger_transactions (
    id            BIGINT       NOT NULL PRIMARY KEY,
    kind          VARCHAR(32)  NOT NULL,
    reason        VARCHAR(255) NOT NULL,
    conversion_id BIGINT       NOT NULL,
    commission_id BIGINT       NOT NULL,
    posted_at     BIGINT       NOT NULL,
    KEY ledger_transactions_commission (commission_id, id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
