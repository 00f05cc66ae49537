-- +goose NO TRANSACTION
-- +goose Up
-- The lines of a sale that came as an order. refunded_minor: taken back of the line so far.
CREATE TABLE IF NOT EXISTS conversion_lines (
    conversion_id  BIGINT NOT NULL,
    line_id        BIGINT NOT NULL,
    product_id     BIGINT NOT NULL,
    quantity       BIGINT NOT NULL CHECK (quantity > 0),
    net_minor      BIGINT NOT NULL CHECK (net_minor >= 0),
    refunded_minor BIGINT NOT NULL,
    PRIMARY KEY (conversion_id, line_id),
    CHECK (refunded_minor >= 0 AND refunded_minor <= net_minor),
    FOREIGN KEY (conversion_id) REFERENCES conversions (id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
