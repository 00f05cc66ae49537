-- +goose Up
-- What a conversion caused.
CREATE INDEX ledger_transactions_conversion ON ledger_transactions (conversion_id, id);
