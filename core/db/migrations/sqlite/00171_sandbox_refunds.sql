-- +goose Up
-- Refunds at the sandbox gateway.
CREATE TABLE sandbox_refunds (
    id           INTEGER NOT NULL PRIMARY KEY,
    provider_key TEXT NOT NULL,
    refund_id    TEXT NOT NULL,
    payment_id   TEXT NOT NULL,
    amount_minor INTEGER NOT NULL,
    currency     TEXT NOT NULL,
    created_at   INTEGER NOT NULL,
    UNIQUE (provider_key)
) STRICT;
CREATE INDEX sandbox_refunds_payment ON sandbox_refunds (payment_id);
CREATE INDEX sandbox_refunds_created ON sandbox_refunds (created_at);
