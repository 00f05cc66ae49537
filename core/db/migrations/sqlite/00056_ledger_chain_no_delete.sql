-- +goose Up
-- +goose StatementBegin
CREATE TRIGGER ledger_chain_no_delete BEFORE DELETE ON ledger_chain
BEGIN
    SELECT RAISE(ABORT, 'the ledger chain is append-only');
END;
-- +goose StatementEnd

-- INSERT OR REPLACE deletes without firing the trigger above.
-- +goose StatementBegin
CREATE TRIGGER ledger_chain_no_replace BEFORE INSERT ON ledger_chain
WHEN EXISTS (SELECT 1 FROM ledger_chain WHERE seq = NEW.seq OR transaction_id = NEW.transaction_id)
BEGIN
    SELECT RAISE(ABORT, 'the ledger chain is append-only');
END;
-- +goose StatementEnd
