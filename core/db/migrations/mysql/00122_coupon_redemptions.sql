-- +goose NO TRANSACTION
-- +goose Up
-- state: held while its order may still be paid, used once it is paid, released when it expired.
CREATE TABLE IF NOT EXISTS coupon_redemptions (
    order_id     BIGINT NOT NULL PRIMARY KEY,
    coupon_id    BIGINT NOT NULL,
    customer_key VARBINARY(80) NOT NULL,
    state        VARCHAR(8) NOT NULL CHECK (state IN ('held', 'used', 'released')),
    created_at   BIGINT NOT NULL,
    KEY coupon_redemptions_customer (coupon_id, customer_key, state)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
