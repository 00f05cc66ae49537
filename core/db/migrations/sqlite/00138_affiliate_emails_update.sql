-- +goose Up
-- +goose StatementBegin
CREATE TRIGGER affiliate_emails_update AFTER UPDATE OF email ON affiliates
BEGIN
    UPDATE affiliate_emails SET email = LOWER(NEW.email) WHERE affiliate_id = NEW.id;
END;
-- +goose StatementEnd
