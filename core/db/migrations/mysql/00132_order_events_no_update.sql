-- +goose NO TRANSACTION
-- +goose Up
CREATE TRIGGER IF NOT EXISTS order_events_no_update BEFORE UPDATE ON order_events FOR EACH ROW
SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'the story of an order is append-only';
