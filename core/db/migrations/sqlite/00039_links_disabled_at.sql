-- +goose Up
-- Attribution compares the time of a click with the time at which its link was disabled, so that time must be right
-- whatever else of the link is edited later.
-- +goose StatementBegin
CREATE TRIGGER links_disabled_at AFTER UPDATE OF status ON links WHEN NEW.status <> OLD.status
BEGIN
    UPDATE links SET disabled_at = CASE NEW.status WHEN 'active' THEN 0 ELSE NEW.updated_at END WHERE id = NEW.id;
END;
-- +goose StatementEnd
