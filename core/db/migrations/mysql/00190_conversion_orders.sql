-- +goose NO TRANSACTION
-- +goose Up
-- Which conversion an order of the shop became.
CREATE TABLE IF NOT EXISTS conversion_orders (
    order_id      BIGINT NOT NULL PRIMARY KEY,
    conversion_id BIGINT NOT NULL,
    KEY conversion_orders_conversion (conversion_id),
    FOREIGN KEY (conversion_id) REFERENCES conversions (id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
