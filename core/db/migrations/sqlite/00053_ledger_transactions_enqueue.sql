-- +goose Up
-- +goose StatementBegin
CREATE TRIGGER ledger_transactions_enqueue AFTER INSERT ON ledger_transactions
BEGIN
    INSERT INTO ledger_unsealed (transaction_id) VALUES (NEW.id);
END;
-- +goose StatementEnd
