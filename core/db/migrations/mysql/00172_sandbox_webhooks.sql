-- +goose NO TRANSACTION
-- +goose Up
-- Webhooks that the sandbox gateway has to send, once each; copies are rows of their own.
CREATE TABLE IF NOT EXISTS sandbox_webhooks (
    id       BIGINT NOT NULL PRIMARY KEY,
    event_id VARBINARY(64) NOT NULL,
    body     BLOB NOT NULL,
    attempts BIGINT NOT NULL,
    send_at  BIGINT NOT NULL,
    KEY sandbox_webhooks_due (send_at, id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
