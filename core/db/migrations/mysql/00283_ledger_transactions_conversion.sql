-- +goose NO TRANSACTION
-- +goose Up
-- What a conversion caused.
ALTER TABLE ledger_transactions ADD KEY ledger_transactions_conversion (conversion_id, id);
