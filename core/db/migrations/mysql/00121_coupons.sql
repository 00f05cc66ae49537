-- +goose NO TRANSACTION
-- +goose Up
-- code: in upper case. percent_bp: 0 for a flat one, whose amounts are JSON, minor units by currency. products: JSON, product ids,
-- empty is all. max_uses and max_per_customer: 0 is no limit. used: redemptions that are held or used. ends_at: 0 is never.
CREATE TABLE IF NOT EXISTS coupons (
    id               BIGINT NOT NULL PRIMARY KEY,
    code             VARBINARY(40) NOT NULL,
    percent_bp       BIGINT NOT NULL CHECK (percent_bp >= 0 AND percent_bp <= 10000),
    amounts          TEXT NOT NULL,
    products         TEXT NOT NULL,
    max_uses         BIGINT NOT NULL,
    max_per_customer BIGINT NOT NULL,
    used             BIGINT NOT NULL CHECK (used >= 0),
    affiliate_id     BIGINT NOT NULL,
    starts_at        BIGINT NOT NULL,
    ends_at          BIGINT NOT NULL,
    status           VARCHAR(8) NOT NULL CHECK (status IN ('active', 'disabled')),
    created_at       BIGINT NOT NULL,
    updated_at       BIGINT NOT NULL,
    UNIQUE KEY coupons_code (code),
    KEY coupons_affiliate (affiliate_id, id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
