-- +goose Up
-- Money to be given back. provider_key: as in payments; of refunds that somebody made at the gateway, its own name for them.
-- unknown: asked for, without a clear answer; it stays so until the gateway says what became of it.
-- pending: the gateway has accepted it.
CREATE TABLE payment_refunds (
    id           INTEGER NOT NULL PRIMARY KEY,
    payment      INTEGER NOT NULL, -- payments.id
    order_id     INTEGER NOT NULL,
    refund       INTEGER NOT NULL, -- of the shop; 0: made at the gateway, or of a stray payment
    gateway      TEXT NOT NULL,
    provider_key TEXT NOT NULL,
    state        TEXT NOT NULL CHECK (state IN ('created', 'unknown', 'pending', 'succeeded', 'failed')),
    amount_minor INTEGER NOT NULL,
    currency     TEXT NOT NULL,
    payment_id   TEXT NOT NULL,
    refund_id    TEXT NOT NULL, -- of the gateway; empty: not known
    reason       TEXT NOT NULL,
    last_error   TEXT NOT NULL,
    done_at      INTEGER NOT NULL, -- 0: not
    attempts     INTEGER NOT NULL,
    next_at      INTEGER NOT NULL,
    claim        INTEGER NOT NULL,
    created_at   INTEGER NOT NULL,
    updated_at   INTEGER NOT NULL,
    UNIQUE (provider_key)
) STRICT;
CREATE INDEX payment_refunds_payment ON payment_refunds (payment, id);
CREATE INDEX payment_refunds_refund ON payment_refunds (gateway, refund_id);
CREATE INDEX payment_refunds_due ON payment_refunds (state, next_at, id);
CREATE INDEX payment_refunds_order ON payment_refunds (order_id, id);
CREATE INDEX payment_refunds_done ON payment_refunds (gateway, done_at);
