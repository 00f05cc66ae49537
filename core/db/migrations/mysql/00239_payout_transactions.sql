-- +goose NO TRANSACTION
-- +goose Up
-- Which ledger transactions are about which payout.
CREATE TABLE IF NOT EXISTS payout_transactions (
    transaction_id BIGINT NOT NULL PRIMARY KEY,
    payout_id      BIGINT NOT NULL,
    KEY payout_transactions_payout (payout_id),
    FOREIGN KEY (payout_id) REFERENCES payouts (id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
