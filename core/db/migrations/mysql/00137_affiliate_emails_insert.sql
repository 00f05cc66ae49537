-- +goose NO TRANSACTION
-- +goose Up
CREATE TRIGGER IF NOT EXISTS affiliate_emails_insert AFTER INSERT ON affiliates FOR EACH ROW
INSERT INTO affiliate_emails (affiliate_id, email) VALUES (NEW.id, LOWER(NEW.email));
