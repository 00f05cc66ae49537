-- +goose NO TRANSACTION
-- +goose Up
CREATE TRIGGER IF NOT EXISTS affiliate_emails_update AFTER UPDATE ON affiliates FOR EACH ROW
UPDATE affiliate_emails SET email = LOWER(NEW.email) WHERE affiliate_id = NEW.id;
