-- +goose NO TRANSACTION
-- +goose Up
-- Whom a customer is bound to. A newer binding replaces an older one only where that has ended.
CREATE TABLE IF NOT EXISTS customer_bindings (
    program_id    BIGINT         NOT NULL,
    customer      VARBINARY(128) NOT NULL,
    affiliate_id  BIGINT         NOT NULL,
    link_id       BIGINT         NOT NULL,
    conversion_id BIGINT         NOT NULL,
    bound_at      BIGINT         NOT NULL,
    PRIMARY KEY (program_id, customer)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
