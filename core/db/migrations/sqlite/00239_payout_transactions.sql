-- +goose Up
-- Which ledger transactions are about which payout.
CREATE TABLE payout_transactions (
    transaction_id INTEGER NOT NULL PRIMARY KEY,
    payout_id      INTEGER NOT NULL,
    FOREIGN KEY (payout_id) REFERENCES payouts (id)
) STRICT;
CREATE INDEX payout_transactions_payout ON payout_transactions (payout_id);
