-- +goose NO TRANSACTION
-- +goose Up
-- For what was paid within a span.
ALTER TABLE orders ADD KEY orders_paid (paid_at);
