-- +goose Up
-- The whole story of an order. ref: the gateway's id of a refund or dispute.
CREATE TABLE order_events (
    id           INTEGER NOT NULL PRIMARY KEY,
    order_id     INTEGER NOT NULL,
    kind         TEXT NOT NULL,
    from_state   TEXT NOT NULL,
    to_state     TEXT NOT NULL,
    amount_minor INTEGER NOT NULL,
    currency     TEXT NOT NULL,
    gateway      TEXT NOT NULL,
    payment_id   TEXT NOT NULL,
    ref          TEXT NOT NULL,
    actor        TEXT NOT NULL,
    detail       TEXT NOT NULL,
    at           INTEGER NOT NULL,
    FOREIGN KEY (order_id) REFERENCES orders (id)
) STRICT;
CREATE INDEX order_events_order ON order_events (order_id, id);
CREATE INDEX order_events_payment ON order_events (payment_id);
