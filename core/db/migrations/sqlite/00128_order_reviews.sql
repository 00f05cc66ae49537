-- +goose Up
-- What gateways told and nobody can book by rule: kept for people. resolved_at: 0 while open.
CREATE TABLE order_reviews (
    id           INTEGER NOT NULL PRIMARY KEY,
    order_id     INTEGER NOT NULL,
    kind         TEXT NOT NULL,
    amount_minor INTEGER NOT NULL,
    currency     TEXT NOT NULL,
    gateway      TEXT NOT NULL,
    payment_id   TEXT NOT NULL,
    ref          TEXT NOT NULL,
    detail       TEXT NOT NULL,
    created_at   INTEGER NOT NULL,
    resolved_at  INTEGER NOT NULL,
    resolved_by  TEXT NOT NULL,
    note         TEXT NOT NULL
) STRICT;
CREATE INDEX order_reviews_order ON order_reviews (order_id, id);
CREATE INDEX order_reviews_open ON order_reviews (resolved_at, id);
