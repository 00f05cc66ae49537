-- +goose Up
-- +goose StatementBegin
CREATE TRIGGER order_events_no_update BEFORE UPDATE ON order_events
BEGIN
    SELECT RAISE(ABORT, 'the story of an order is append-only');
END;
-- +goose StatementEnd
