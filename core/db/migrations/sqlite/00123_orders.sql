-- +goose Up
-- Amounts are minor units of currency: list - discount = what the buyer pays where prices include tax; net + tax = total.
-- token opens the order to whoever knows it; it is kept as it is because it opens nothing but what stands beside it.
-- affiliate_id, link_id and attribution are decided at the checkout and never again.
CREATE TABLE orders (
    id             INTEGER NOT NULL PRIMARY KEY,
    number         TEXT NOT NULL,
    token          TEXT NOT NULL,
    state          TEXT NOT NULL,
    currency       TEXT NOT NULL,
    list_minor     INTEGER NOT NULL,
    discount_minor INTEGER NOT NULL,
    net_minor      INTEGER NOT NULL,
    tax_minor      INTEGER NOT NULL,
    total_minor    INTEGER NOT NULL,
    refunded_minor INTEGER NOT NULL,
    tax_kind       TEXT NOT NULL,
    supply_place   TEXT NOT NULL,
    email          TEXT NOT NULL,
    customer_key   TEXT NOT NULL,
    name           TEXT NOT NULL,
    address        TEXT NOT NULL,
    country        TEXT NOT NULL,
    region         TEXT NOT NULL,
    gstin          TEXT NOT NULL,
    program_id     INTEGER NOT NULL,
    affiliate_id   INTEGER NOT NULL,
    link_id        INTEGER NOT NULL,
    attribution    TEXT NOT NULL,
    coupon_id      INTEGER NOT NULL,
    coupon_code    TEXT NOT NULL,
    gateway        TEXT NOT NULL,
    payment_id     TEXT NOT NULL,
    conversion_id  INTEGER NOT NULL,
    created_at     INTEGER NOT NULL,
    updated_at     INTEGER NOT NULL,
    expires_at     INTEGER NOT NULL,
    paid_at        INTEGER NOT NULL,
    erased_at      INTEGER NOT NULL,
    UNIQUE (number),
    UNIQUE (token),
    CHECK (state IN ('created', 'pending', 'paid', 'failed', 'expired', 'partly_refunded', 'refunded', 'disputed', 'charged_back')),
    CHECK (list_minor >= 0 AND discount_minor >= 0 AND net_minor >= 0 AND tax_minor >= 0),
    CHECK (total_minor = net_minor + tax_minor),
    CHECK (refunded_minor >= 0 AND refunded_minor <= total_minor)
) STRICT;
CREATE INDEX orders_email ON orders (email, id);
CREATE INDEX orders_customer ON orders (customer_key, id);
CREATE INDEX orders_state ON orders (state, id);
CREATE INDEX orders_expiry ON orders (state, expires_at, id);
CREATE INDEX orders_affiliate ON orders (affiliate_id, id);
