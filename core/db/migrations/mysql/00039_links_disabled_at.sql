-- +goose NO TRANSACTION
-- +goose Up
-- Attribution compares the time of a click with the time at which its link was disabled, so that time must be right
-- whatever else of the link is edited later.
CREATE TRIGGER IF NOT EXISTS links_disabled_at BEFORE UPDATE ON links FOR EACH ROW
SET NEW.disabled_at = CASE WHEN NEW.status = 'active' THEN 0 WHEN OLD.status = 'active' THEN NEW.updated_at ELSE OLD.disabled_at END;
