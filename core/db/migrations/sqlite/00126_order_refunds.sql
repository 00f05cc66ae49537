-- +goose Up
-- Money that goes, or may go, back. kind dispute: state held while it is open. A requested refund reserves its amount.
-- gateway_ref: the gateway's id of the refund or dispute.
CREATE TABLE order_refunds (
    id           INTEGER NOT NULL PRIMARY KEY,
    order_id     INTEGER NOT NULL,
    kind         TEXT NOT NULL CHECK (kind IN ('refund', 'dispute')),
    state        TEXT NOT NULL CHECK (state IN ('requested', 'done', 'failed', 'held', 'released')),
    amount_minor INTEGER NOT NULL CHECK (amount_minor > 0),
    currency     TEXT NOT NULL,
    reason       TEXT NOT NULL,
    actor        TEXT NOT NULL,
    gateway      TEXT NOT NULL,
    gateway_ref  TEXT NOT NULL,
    created_at   INTEGER NOT NULL,
    settled_at   INTEGER NOT NULL,
    FOREIGN KEY (order_id) REFERENCES orders (id)
) STRICT;
CREATE INDEX order_refunds_order ON order_refunds (order_id, id);
