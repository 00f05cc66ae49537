-- +goose Up
-- What was told to the shop, each once. outcome_key: the gateway name of the payment, refund or dispute.
CREATE TABLE payment_outcomes (
    id           INTEGER NOT NULL PRIMARY KEY,
    payment      INTEGER NOT NULL,
    order_id     INTEGER NOT NULL,
    gateway      TEXT NOT NULL,
    kind         TEXT NOT NULL,
    outcome_key  TEXT NOT NULL,
    amount_minor INTEGER NOT NULL,
    currency     TEXT NOT NULL,
    at           INTEGER NOT NULL, -- as the gateway has it
    created_at   INTEGER NOT NULL,
    UNIQUE (gateway, kind, outcome_key)
) STRICT;
CREATE INDEX payment_outcomes_order ON payment_outcomes (order_id, id);
