-- +goose Up
-- The index covers balances (sums by account) and an account's newest transactions.
CREATE TABLE ledger_entries (
    transaction_id INTEGER NOT NULL REFERENCES ledger_transactions (id),
    account_id     INTEGER NOT NULL REFERENCES ledger_accounts (id),
    amount_minor   INTEGER NOT NULL CHECK (amount_minor <> 0),
    PRIMARY KEY (transaction_id, account_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX ledger_entries_account ON ledger_entries (account_id, transaction_id, amount_minor);
