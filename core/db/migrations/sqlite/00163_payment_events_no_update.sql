-- +goose Up
-- +goose StatementBegin
CREATE TRIGGER payment_events_no_update BEFORE UPDATE ON payment_events
BEGIN
    SELECT RAISE(ABORT, 'payment events are append-only');
END;
-- +goose StatementEnd
