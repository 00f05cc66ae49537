-- +goose Up
-- +goose StatementBegin
CREATE TRIGGER invoices_no_update BEFORE UPDATE ON invoices
BEGIN
    SELECT RAISE(ABORT, 'an invoice is never changed: issue a credit note');
END;
-- +goose StatementEnd
