-- +goose NO TRANSACTION
-- +goose Up
-- Which clicks the attribution of an order weighed: who looks for a Click ID finds the orders.
CREATE TABLE IF NOT EXISTS order_clicks (
    click_id VARCHAR(60) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    order_id BIGINT NOT NULL,
    PRIMARY KEY (click_id, order_id),
    CONSTRAINT order_clicks_order FOREIGN KEY (order_id) REFERENCES orders (id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
