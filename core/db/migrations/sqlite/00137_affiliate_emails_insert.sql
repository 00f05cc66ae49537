-- +goose Up
-- +goose StatementBegin
CREATE TRIGGER affiliate_emails_insert AFTER INSERT ON affiliates
BEGIN
    INSERT INTO affiliate_emails (affiliate_id, email) VALUES (NEW.id, LOWER(NEW.email));
END;
-- +goose StatementEnd
