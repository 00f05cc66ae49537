-- +goose Up
-- Which clicks the attribution of an order weighed: who looks for a Click ID finds the orders.
CREATE TABLE order_clicks (
    click_id TEXT    NOT NULL,
    order_id INTEGER NOT NULL,
    PRIMARY KEY (click_id, order_id),
    FOREIGN KEY (order_id) REFERENCES orders (id)
) STRICT, WITHOUT ROWID;
