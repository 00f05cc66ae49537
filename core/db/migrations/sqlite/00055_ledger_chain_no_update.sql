-- +goose Up
-- +goose StatementBegin
CREATE TRIGGER ledger_chain_no_update BEFORE UPDATE ON ledger_chain
BEGIN
    SELECT RAISE(ABORT, 'the ledger chain is append-only');
END;
-- +goose StatementEnd
