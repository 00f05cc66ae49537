-- +goose Up
-- For what was given back within a span.
CREATE INDEX order_refunds_settled ON order_refunds (settled_at);
