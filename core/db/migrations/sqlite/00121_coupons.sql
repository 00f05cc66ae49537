-- +goose Up
-- code: in upper case. percent_bp: 0 for a flat one, whose amounts are JSON, minor units by currency. products: JSON, product ids,
-- empty is all. max_uses and max_per_customer: 0 is no limit. used: redemptions that are held or used. ends_at: 0 is never.
CREATE TABLE coupons (
    id               INTEGER NOT NULL PRIMARY KEY,
    code             TEXT NOT NULL,
    percent_bp       INTEGER NOT NULL CHECK (percent_bp >= 0 AND percent_bp <= 10000),
    amounts          TEXT NOT NULL,
    products         TEXT NOT NULL,
    max_uses         INTEGER NOT NULL,
    max_per_customer INTEGER NOT NULL,
    used             INTEGER NOT NULL CHECK (used >= 0),
    affiliate_id     INTEGER NOT NULL,
    starts_at        INTEGER NOT NULL,
    ends_at          INTEGER NOT NULL,
    status           TEXT NOT NULL CHECK (status IN ('active', 'disabled')),
    created_at       INTEGER NOT NULL,
    updated_at       INTEGER NOT NULL,
    UNIQUE (code)
) STRICT;
CREATE INDEX coupons_affiliate ON coupons (affiliate_id, id);
