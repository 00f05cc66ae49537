-- +goose Up
-- What a customer may use. revoked_at: 0 while valid.
CREATE TABLE entitlements (
    id           INTEGER NOT NULL PRIMARY KEY,
    customer_key TEXT NOT NULL,
    product_id   INTEGER NOT NULL,
    code         TEXT NOT NULL,
    order_id     INTEGER NOT NULL,
    line_id      INTEGER NOT NULL,
    granted_at   INTEGER NOT NULL,
    revoked_at   INTEGER NOT NULL,
    reason       TEXT NOT NULL,
    UNIQUE (line_id, code)
) STRICT;
CREATE INDEX entitlements_customer ON entitlements (customer_key, code);
CREATE INDEX entitlements_order ON entitlements (order_id);
