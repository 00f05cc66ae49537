-- +goose NO TRANSACTION
-- +goose Up
-- The index covers balances (sums by account) and an account's newest transactions.
CREATE TABLE IF NOT EXISTS ledger_entries (
    transaction_id BIGINT NOT NULL,
    account_id     BIGINT NOT NULL,
    amount_minor   BIGINT NOT NULL CHECK (amount_minor <> 0),
    PRIMARY KEY (transaction_id, account_id),
    KEY ledger_entries_account (account_id, transaction_id, amount_minor),
    FOREIGN KEY (transaction_id) REFERENCES ledger_transactions (id),
    FOREIGN KEY (account_id) REFERENCES ledger_accounts (id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
