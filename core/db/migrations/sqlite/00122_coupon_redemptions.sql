-- +goose Up
-- state: held while its order may still be paid, used once it is paid, released when it expired.
CREATE TABLE coupon_redemptions (
    order_id     INTEGER NOT NULL PRIMARY KEY,
    coupon_id    INTEGER NOT NULL,
    customer_key TEXT NOT NULL,
    state        TEXT NOT NULL CHECK (state IN ('held', 'used', 'released')),
    created_at   INTEGER NOT NULL
) STRICT;
CREATE INDEX coupon_redemptions_customer ON coupon_redemptions (coupon_id, customer_key, state);
