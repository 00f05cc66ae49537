-- +goose Up
-- kind: a bundle is sold as one and consists of parts. prices: JSON, minor units by currency. parts: JSON, product ids of a
-- bundle. files and entitlements: JSON. hold_days: -1 is that of the program. program_id: 0 pays no commission.
CREATE TABLE products (
    id           INTEGER NOT NULL PRIMARY KEY,
    slug         TEXT NOT NULL,
    kind         TEXT NOT NULL CHECK (kind IN ('product', 'bundle')),
    name         TEXT NOT NULL,
    description  TEXT NOT NULL,
    sku          TEXT NOT NULL,
    prices       TEXT NOT NULL,
    tax_bp       INTEGER NOT NULL CHECK (tax_bp >= 0 AND tax_bp <= 10000),
    tax_code     TEXT NOT NULL,
    tax_included INTEGER NOT NULL,
    program_id   INTEGER NOT NULL,
    hold_days    INTEGER NOT NULL,
    files        TEXT NOT NULL,
    entitlements TEXT NOT NULL,
    parts        TEXT NOT NULL,
    status       TEXT NOT NULL CHECK (status IN ('draft', 'active', 'archived')),
    created_at   INTEGER NOT NULL,
    updated_at   INTEGER NOT NULL,
    UNIQUE (slug)
) STRICT;
CREATE INDEX products_status ON products (status, id);
