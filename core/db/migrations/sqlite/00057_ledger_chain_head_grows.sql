-- +goose Up
-- +goose StatementBegin
CREATE TRIGGER ledger_chain_head_grows BEFORE UPDATE ON ledger_chain_head WHEN NEW.seq <= OLD.seq OR NEW.id <> OLD.id
BEGIN
    SELECT RAISE(ABORT, 'the ledger chain is append-only');
END;
-- +goose StatementEnd
