-- +goose NO TRANSACTION
-- +goose Up
CREATE TRIGGER IF NOT EXISTS invoices_no_delete BEFORE DELETE ON invoices FOR EACH ROW
SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'an invoice is never deleted: issue a credit note';
