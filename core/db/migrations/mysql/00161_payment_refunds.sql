-- +goose NO TRANSACTION
-- +goose Up
-- Money to be given back. provider_key: as in payments; of refunds that somebody made at the gateway, its own name for them.
-- unknown: asked for, without a clear answer; it stays so until the gateway says what became of it.
-- pending: the gateway has accepted it.
CREATE TABLE IF NOT EXISTS payment_refunds (
    id           BIGINT NOT NULL PRIMARY KEY,
    payment      BIGINT NOT NULL COMMENT 'payments.id',
    order_id     BIGINT NOT NULL,
    refund       BIGINT NOT NULL COMMENT 'of the shop; 0: made at the gateway, or of a stray payment',
    gateway      VARCHAR(16) NOT NULL,
    provider_key VARBINARY(255) NOT NULL,
    state        VARCHAR(9) NOT NULL CHECK (state IN ('created', 'unknown', 'pending', 'succeeded', 'failed')),
    amount_minor BIGINT NOT NULL,
    currency     CHAR(3) NOT NULL,
    payment_id   VARBINARY(255) NOT NULL,
    refund_id    VARBINARY(255) NOT NULL COMMENT 'of the gateway; empty: not known',
    reason       VARCHAR(255) NOT NULL,
    last_error   VARCHAR(255) NOT NULL,
    done_at      BIGINT NOT NULL COMMENT '0: not',
    attempts     BIGINT NOT NULL,
    next_at      BIGINT NOT NULL,
    claim        BIGINT NOT NULL,
    created_at   BIGINT NOT NULL,
    updated_at   BIGINT NOT NULL,
    UNIQUE KEY payment_refunds_key (provider_key),
    KEY payment_refunds_payment (payment, id),
    KEY payment_refunds_refund (gateway, refund_id),
    KEY payment_refunds_due (state, next_at, id),
    KEY payment_refunds_order (order_id, id),
    KEY payment_refunds_done (gateway, done_at)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
