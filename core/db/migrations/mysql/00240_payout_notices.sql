-- +goose NO TRANSACTION
-- +goose Up
-- What providers told us, once each. They only make us look.
CREATE TABLE IF NOT EXISTS payout_notices (
    id          BIGINT       NOT NULL PRIMARY KEY,
    executor    VARCHAR(16)  NOT NULL,
    event_key   VARCHAR(128) NOT NULL,
    event       VARCHAR(64)  NOT NULL,
    payout_id   BIGINT       NOT NULL,
    received_at BIGINT       NOT NULL,
    UNIQUE KEY payout_notices_key (executor, event_key)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
