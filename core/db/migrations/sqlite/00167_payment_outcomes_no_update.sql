-- +goose Up
-- +goose StatementBegin
CREATE TRIGGER payment_outcomes_no_update BEFORE UPDATE ON payment_outcomes
BEGIN
    SELECT RAISE(ABORT, 'payment outcomes are append-only');
END;
-- +goose StatementEnd
