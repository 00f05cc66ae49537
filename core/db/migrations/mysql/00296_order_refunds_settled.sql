-- +goose NO TRANSACTION
-- +goose Up
-- For what was given back within a span.
ALTER TABLE order_refunds ADD KEY order_refunds_settled (settled_at);
