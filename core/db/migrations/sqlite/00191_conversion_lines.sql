-- +goose Up
-- The lines of a sale that came as an order. refunded_minor: taken back of the line so far.
CREATE TABLE conversion_lines (
    conversion_id  INTEGER NOT NULL REFERENCES conversions (id),
    line_id        INTEGER NOT NULL,
    product_id     INTEGER NOT NULL,
    quantity       INTEGER NOT NULL CHECK (quantity > 0),
    net_minor      INTEGER NOT NULL CHECK (net_minor >= 0),
    refunded_minor INTEGER NOT NULL CHECK (refunded_minor >= 0 AND refunded_minor <= net_minor),
    PRIMARY KEY (conversion_id, line_id)
) STRICT, WITHOUT ROWID;
