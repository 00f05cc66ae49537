-- +goose NO TRANSACTION
-- +goose Up
-- slot is 0 while the method is in use and its own id afterwards: one in use for each affiliate and currency. sealed holds the
-- account, fingerprint a keyed hash of it. Rows stay: payouts name them. shared_ok: finance lets another affiliate use the same account.
CREATE TABLE IF NOT EXISTS payout_methods (
    id           BIGINT       NOT NULL PRIMARY KEY,
    affiliate_id BIGINT       NOT NULL,
    currency     VARCHAR(3)   NOT NULL,
    kind         VARCHAR(16)  NOT NULL,
    country      VARCHAR(2)   NOT NULL,
    sealed       TEXT         NOT NULL,
    masked       VARCHAR(160) NOT NULL,
    fingerprint  VARCHAR(64)  NOT NULL,
    slot         BIGINT       NOT NULL,
    frozen_until BIGINT       NOT NULL,
    shared_ok    BIGINT       NOT NULL,
    created_at   BIGINT       NOT NULL,
    ended_at     BIGINT       NOT NULL,
    UNIQUE KEY payout_methods_slot (affiliate_id, currency, slot),
    KEY payout_methods_fingerprint (fingerprint, slot),
    CHECK (kind IN ('bank_in', 'iban', 'upi', 'paypal')),
    FOREIGN KEY (affiliate_id) REFERENCES affiliates (id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
