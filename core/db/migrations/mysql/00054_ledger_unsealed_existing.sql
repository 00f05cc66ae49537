-- +goose NO TRANSACTION
-- +goose Up
-- What was posted before there was a chain. After the trigger, so that nothing falls between.
INSERT IGNORE INTO ledger_unsealed (transaction_id)
SELECT t.id FROM ledger_transactions t LEFT JOIN ledger_chain c ON c.transaction_id = t.id WHERE c.seq IS NULL;
