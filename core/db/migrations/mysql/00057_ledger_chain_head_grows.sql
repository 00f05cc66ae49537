-- +goose NO TRANSACTION
-- +goose Up
CREATE TRIGGER IF NOT EXISTS ledger_chain_head_grows BEFORE UPDATE ON ledger_chain_head FOR EACH ROW
IF NEW.seq <= OLD.seq OR NEW.id <> OLD.id THEN SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'the ledger chain is append-only'; END IF;
