-- +goose NO TRANSACTION
-- +goose Up
-- What a customer may use. revoked_at: 0 while valid.
CREATE TABLE IF NOT EXISTS entitlements (
    id           BIGINT NOT NULL PRIMARY KEY,
    customer_key VARBINARY(80) NOT NULL,
    product_id   BIGINT NOT NULL,
    code         VARBINARY(64) NOT NULL,
    order_id     BIGINT NOT NULL,
    line_id      BIGINT NOT NULL,
    granted_at   BIGINT NOT NULL,
    revoked_at   BIGINT NOT NULL,
    reason       VARCHAR(24) NOT NULL,
    UNIQUE KEY entitlements_line (line_id, code),
    KEY entitlements_customer (customer_key, code),
    KEY entitlements_order (order_id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
