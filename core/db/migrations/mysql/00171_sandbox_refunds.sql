-- +goose NO TRANSACTION
-- +goose Up
-- Refunds at the sandbox gateway.
CREATE TABLE IF NOT EXISTS sandbox_refunds (
    id           BIGINT NOT NULL PRIMARY KEY,
    provider_key VARBINARY(255) NOT NULL,
    refund_id    VARBINARY(64) NOT NULL,
    payment_id   VARBINARY(64) NOT NULL,
    amount_minor BIGINT NOT NULL,
    currency     CHAR(3) NOT NULL,
    created_at   BIGINT NOT NULL,
    UNIQUE KEY sandbox_refunds_key (provider_key),
    KEY sandbox_refunds_payment (payment_id),
    KEY sandbox_refunds_created (created_at)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
