-- +goose NO TRANSACTION
-- +goose Up
-- Money that goes, or may go, back. kind dispute: state held while it is open. A requested refund reserves its amount.
-- gateway_ref: the gateway's id of the refund or dispute.
CREATE TABLE IF NOT EXISTS order_refunds (
    id           BIGINT NOT NULL PRIMARY KEY,
    order_id     BIGINT NOT NULL,
    kind         VARCHAR(8) NOT NULL CHECK (kind IN ('refund', 'dispute')),
    state        VARCHAR(10) NOT NULL CHECK (state IN ('requested', 'done', 'failed', 'held', 'released')),
    amount_minor BIGINT NOT NULL CHECK (amount_minor > 0),
    currency     VARCHAR(3) NOT NULL,
    reason       VARCHAR(255) NOT NULL,
    actor        VARCHAR(64) NOT NULL,
    gateway      VARCHAR(32) NOT NULL,
    gateway_ref  VARBINARY(255) NOT NULL,
    created_at   BIGINT NOT NULL,
    settled_at   BIGINT NOT NULL,
    KEY order_refunds_order (order_id, id),
    FOREIGN KEY (order_id) REFERENCES orders (id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
