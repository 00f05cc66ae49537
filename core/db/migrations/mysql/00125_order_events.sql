-- +goose NO TRANSACTION
-- +goose Up
-- The whole story of an order. ref: the gateway's id of a refund or dispute.
CREATE TABLE IF NOT EXISTS order_events (
    id           BIGINT NOT NULL PRIMARY KEY,
    order_id     BIGINT NOT NULL,
    kind         VARCHAR(24) NOT NULL,
    from_state   VARCHAR(16) NOT NULL,
    to_state     VARCHAR(16) NOT NULL,
    amount_minor BIGINT NOT NULL,
    currency     VARCHAR(3) NOT NULL,
    gateway      VARCHAR(32) NOT NULL,
    payment_id   VARBINARY(255) NOT NULL,
    ref          VARBINARY(255) NOT NULL,
    actor        VARCHAR(64) NOT NULL,
    detail       TEXT NOT NULL,
    at           BIGINT NOT NULL,
    KEY order_events_order (order_id, id),
    KEY order_events_payment (payment_id),
    FOREIGN KEY (order_id) REFERENCES orders (id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
