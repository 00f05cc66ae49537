-- +goose NO TRANSACTION
-- +goose Up
CREATE TRIGGER IF NOT EXISTS payment_outcomes_no_delete BEFORE DELETE ON payment_outcomes FOR EACH ROW
SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'payment outcomes are append-only';
