-- +goose NO TRANSACTION
-- +goose Up
CREATE TRIGGER IF NOT EXISTS ledger_transactions_enqueue AFTER INSERT ON ledger_transactions FOR EACH ROW
INSERT INTO ledger_unsealed (transaction_id) VALUES (NEW.id);
