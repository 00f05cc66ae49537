-- +goose NO TRANSACTION
-- +goose Up
-- What gateways told and nobody can book by rule: kept for people. resolved_at: 0 while open.
CREATE TABLE IF NOT EXISTS order_reviews (
    id           BIGINT NOT NULL PRIMARY KEY,
    order_id     BIGINT NOT NULL,
    kind         VARCHAR(24) NOT NULL,
    amount_minor BIGINT NOT NULL,
    currency     VARCHAR(3) NOT NULL,
    gateway      VARCHAR(32) NOT NULL,
    payment_id   VARBINARY(255) NOT NULL,
    ref          VARBINARY(255) NOT NULL,
    detail       TEXT NOT NULL,
    created_at   BIGINT NOT NULL,
    resolved_at  BIGINT NOT NULL,
    resolved_by  VARCHAR(64) NOT NULL,
    note         VARCHAR(1000) NOT NULL,
    KEY order_reviews_order (order_id, id),
    KEY order_reviews_open (resolved_at, id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
