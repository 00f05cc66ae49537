-- +goose NO TRANSACTION
-- +goose Up
CREATE TRIGGER IF NOT EXISTS ledger_unsealed_no_delete BEFORE DELETE ON ledger_unsealed FOR EACH ROW
IF NOT EXISTS (SELECT 1 FROM ledger_chain WHERE transaction_id = OLD.transaction_id) THEN SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'the ledger chain is append-only: this transaction is not sealed yet'; END IF;
