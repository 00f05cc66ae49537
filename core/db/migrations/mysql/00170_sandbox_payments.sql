-- +goose NO TRANSACTION
-- +goose Up
-- What the sandbox gateway knows, as a real one would: it plays no part but there.
CREATE TABLE IF NOT EXISTS sandbox_payments (
    id            BIGINT NOT NULL PRIMARY KEY,
    provider_key  VARBINARY(40) NOT NULL,
    ref           VARBINARY(64) NOT NULL,
    payment_id    VARBINARY(64) NOT NULL,
    state         VARCHAR(8) NOT NULL CHECK (state IN ('open', 'paid', 'later')),
    amount_minor  BIGINT NOT NULL,
    currency      CHAR(3) NOT NULL,
    order_ref     VARCHAR(64) NOT NULL,
    description   VARCHAR(255) NOT NULL,
    return_url    TEXT NOT NULL,
    dispute_id    VARBINARY(64) NOT NULL,
    dispute_state VARCHAR(8) NOT NULL,
    paid_at       BIGINT NOT NULL,
    created_at    BIGINT NOT NULL,
    UNIQUE KEY sandbox_payments_key (provider_key),
    UNIQUE KEY sandbox_payments_ref (ref),
    KEY sandbox_payments_payment (payment_id),
    KEY sandbox_payments_paid (paid_at)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
