-- +goose Up
-- Which conversion an order of the shop became.
CREATE TABLE conversion_orders (
    order_id      INTEGER NOT NULL PRIMARY KEY,
    conversion_id INTEGER NOT NULL REFERENCES conversions (id)
) STRICT;
CREATE INDEX conversion_orders_conversion ON conversion_orders (conversion_id);
