-- +goose NO TRANSACTION
-- +goose Up
-- One attempt to pay an order, stored with the key that the gateway knows it by before the gateway is called.
-- live: 0 while it is the attempt that the buyer is sent to, otherwise its own id; so an order has one at each gateway.
-- unknown: the call that should have begun it had no clear end. stray: paid, but its order cannot use the money.
-- next_at: when to ask the gateway about it; while somebody does, when the lease of claim ends.
CREATE TABLE IF NOT EXISTS payments (
    id            BIGINT NOT NULL PRIMARY KEY,
    order_id      BIGINT NOT NULL,
    gateway       VARCHAR(16) NOT NULL,
    live          BIGINT NOT NULL,
    provider_key  VARBINARY(40) NOT NULL,
    state         VARCHAR(9) NOT NULL CHECK (state IN ('created', 'unknown', 'open', 'succeeded', 'failed', 'stray')),
    amount_minor  BIGINT NOT NULL,
    currency      CHAR(3) NOT NULL,
    ref           VARBINARY(255) NOT NULL COMMENT 'the gateway name for it, empty: not known',
    payment_id    VARBINARY(255) NOT NULL COMMENT 'empty: not paid',
    paid_minor    BIGINT NOT NULL,
    paid_currency VARCHAR(3) NOT NULL,
    paid_at       BIGINT NOT NULL COMMENT '0: not paid',
    url           TEXT NOT NULL,
    params        TEXT NOT NULL COMMENT 'JSON',
    return_url    VARCHAR(2048) NOT NULL,
    reason        VARCHAR(255) NOT NULL,
    expires_at    BIGINT NOT NULL COMMENT '0: never',
    attempts      BIGINT NOT NULL,
    next_at       BIGINT NOT NULL,
    claim         BIGINT NOT NULL COMMENT '0: nobody asks about it',
    created_at    BIGINT NOT NULL,
    updated_at    BIGINT NOT NULL,
    UNIQUE KEY payments_live (order_id, gateway, live),
    UNIQUE KEY payments_key (provider_key),
    KEY payments_ref (gateway, ref),
    KEY payments_payment (gateway, payment_id),
    KEY payments_due (state, next_at, id),
    KEY payments_paid (gateway, paid_at)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
