-- +goose NO TRANSACTION
-- +goose Up
-- One for each payout, for ever: its key and its request are stored before the first call and never changed.
CREATE TABLE IF NOT EXISTS payout_attempts (
    payout_id       BIGINT       NOT NULL PRIMARY KEY,
    executor        VARCHAR(16)  NOT NULL,
    idempotency_key VARCHAR(40)  NOT NULL,
    request         TEXT         NOT NULL,
    provider_id     VARCHAR(64)  NOT NULL,
    sends           BIGINT       NOT NULL,
    lookups         BIGINT       NOT NULL,
    sent_at         BIGINT       NOT NULL,
    last_error      VARCHAR(255) NOT NULL,
    created_at      BIGINT       NOT NULL,
    UNIQUE KEY payout_attempts_key (idempotency_key),
    FOREIGN KEY (payout_id) REFERENCES payouts (id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
