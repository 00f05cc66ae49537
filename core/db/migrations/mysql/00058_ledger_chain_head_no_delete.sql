-- +goose NO TRANSACTION
-- +goose Up
CREATE TRIGGER IF NOT EXISTS ledger_chain_head_no_delete BEFORE DELETE ON ledger_chain_head FOR EACH ROW
SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'the ledger chain is append-only';
