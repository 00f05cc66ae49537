-- +goose Up
-- What the sandbox gateway knows, as a real one would: it plays no part but there.
CREATE TABLE sandbox_payments (
    id            INTEGER NOT NULL PRIMARY KEY,
    provider_key  TEXT NOT NULL,
    ref           TEXT NOT NULL,
    payment_id    TEXT NOT NULL,
    state         TEXT NOT NULL CHECK (state IN ('open', 'paid', 'later')),
    amount_minor  INTEGER NOT NULL,
    currency      TEXT NOT NULL,
    order_ref     TEXT NOT NULL,
    description   TEXT NOT NULL,
    return_url    TEXT NOT NULL,
    dispute_id    TEXT NOT NULL,
    dispute_state TEXT NOT NULL,
    paid_at       INTEGER NOT NULL,
    created_at    INTEGER NOT NULL,
    UNIQUE (provider_key),
    UNIQUE (ref)
) STRICT;
CREATE INDEX sandbox_payments_payment ON sandbox_payments (payment_id);
CREATE INDEX sandbox_payments_paid ON sandbox_payments (paid_at);
