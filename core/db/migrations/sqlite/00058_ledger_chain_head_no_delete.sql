-- +goose Up
-- +goose StatementBegin
CREATE TRIGGER ledger_chain_head_no_delete BEFORE DELETE ON ledger_chain_head
BEGIN
    SELECT RAISE(ABORT, 'the ledger chain is append-only');
END;
-- +goose StatementEnd

-- INSERT OR REPLACE deletes without firing the trigger above.
-- +goose StatementBegin
CREATE TRIGGER ledger_chain_head_no_replace BEFORE INSERT ON ledger_chain_head
WHEN EXISTS (SELECT 1 FROM ledger_chain_head WHERE id = NEW.id)
BEGIN
    SELECT RAISE(ABORT, 'the ledger chain is append-only');
END;
-- +goose StatementEnd
