-- +goose Up
-- conversion_id and commission_id say what the transaction is about; 0: nothing of that kind.
CREATE TABLE ledger_transactions (
    id            INTEGER NOT NULL PRIMARY KEY,
    kind          TEXT    NOT NULL,
    reason        TEXT    NOT NULL,
    conversion_id INTEGER NOT NULL,
    commission_id INTEGER NOT NULL,
    posted_at     INTEGER NOT NULL
) STRICT;
CREATE INDEX ledger_transactions_commission ON ledger_transactions (commission_id, id);
