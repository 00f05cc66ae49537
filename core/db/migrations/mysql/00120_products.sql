-- +goose NO TRANSACTION
-- +goose Up
-- kind: a bundle is sold as one and consists of parts. prices: JSON, minor units by currency. parts: JSON, product ids of a
-- bundle. files and entitlements: JSON. hold_days: -1 is that of the program. program_id: 0 pays no commission.
CREATE TABLE IF NOT EXISTS products (
    id           BIGINT NOT NULL PRIMARY KEY,
    slug         VARBINARY(96) NOT NULL,
    kind         VARCHAR(8) NOT NULL CHECK (kind IN ('product', 'bundle')),
    name         VARCHAR(255) NOT NULL,
    description  TEXT NOT NULL,
    sku          VARCHAR(64) NOT NULL,
    prices       TEXT NOT NULL,
    tax_bp       BIGINT NOT NULL CHECK (tax_bp >= 0 AND tax_bp <= 10000),
    tax_code     VARCHAR(16) NOT NULL,
    tax_included TINYINT NOT NULL,
    program_id   BIGINT NOT NULL,
    hold_days    BIGINT NOT NULL,
    files        TEXT NOT NULL,
    entitlements TEXT NOT NULL,
    parts        TEXT NOT NULL,
    status       VARCHAR(8) NOT NULL CHECK (status IN ('draft', 'active', 'archived')),
    created_at   BIGINT NOT NULL,
    updated_at   BIGINT NOT NULL,
    UNIQUE KEY products_slug (slug),
    KEY products_status (status, id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
