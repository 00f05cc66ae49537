-- +goose Up
-- +goose StatementBegin
CREATE TRIGGER ledger_unsealed_no_delete BEFORE DELETE ON ledger_unsealed
WHEN NOT EXISTS (SELECT 1 FROM ledger_chain WHERE transaction_id = OLD.transaction_id)
BEGIN
    SELECT RAISE(ABORT, 'the ledger chain is append-only: this transaction is not sealed yet');
END;
-- +goose StatementEnd
