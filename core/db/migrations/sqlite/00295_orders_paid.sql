-- +goose Up
-- For what was paid within a span.
CREATE INDEX orders_paid ON orders (paid_at);
