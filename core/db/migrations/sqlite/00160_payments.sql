-- +goose Up
-- One attempt to pay an order, stored with the key that the gateway knows it by before the gateway is called.
-- live: 0 while it is the attempt that the buyer is sent to, otherwise its own id; so an order has one at each gateway.
-- unknown: the call that should have begun it had no clear end. stray: paid, but its order cannot use the money.
-- next_at: when to ask the gateway about it; while somebody does, when the lease of claim ends.
CREATE TABLE payments (
    id            INTEGER NOT NULL PRIMARY KEY,
    order_id      INTEGER NOT NULL,
    gateway       TEXT NOT NULL,
    live          INTEGER NOT NULL,
    provider_key  TEXT NOT NULL,
    state         TEXT NOT NULL CHECK (state IN ('created', 'unknown', 'open', 'succeeded', 'failed', 'stray')),
    amount_minor  INTEGER NOT NULL,
    currency      TEXT NOT NULL,
    ref           TEXT NOT NULL, -- the gateway name for it, empty: not known
    payment_id    TEXT NOT NULL, -- empty: not paid
    paid_minor    INTEGER NOT NULL,
    paid_currency TEXT NOT NULL,
    paid_at       INTEGER NOT NULL, -- 0: not paid
    url           TEXT NOT NULL,
    params        TEXT NOT NULL, -- JSON
    return_url    TEXT NOT NULL,
    reason        TEXT NOT NULL,
    expires_at    INTEGER NOT NULL, -- 0: never
    attempts      INTEGER NOT NULL,
    next_at       INTEGER NOT NULL,
    claim         INTEGER NOT NULL, -- 0: nobody asks about it
    created_at    INTEGER NOT NULL,
    updated_at    INTEGER NOT NULL,
    UNIQUE (order_id, gateway, live),
    UNIQUE (provider_key)
) STRICT;
CREATE INDEX payments_ref ON payments (gateway, ref);
CREATE INDEX payments_payment ON payments (gateway, payment_id);
CREATE INDEX payments_due ON payments (state, next_at, id);
CREATE INDEX payments_paid ON payments (gateway, paid_at);
