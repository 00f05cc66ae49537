-- +goose Up
-- +goose StatementBegin
CREATE TRIGGER ledger_accounts_no_update BEFORE UPDATE ON ledger_accounts
BEGIN
    SELECT RAISE(ABORT, 'the ledger is append-only: post a correcting transaction');
END;
-- +goose StatementEnd
