-- +goose NO TRANSACTION
-- +goose Up
-- What gateways told, as it was received and after it was verified. Nothing in it is changed or deleted.
-- changes: what it says, in our words.
CREATE TABLE IF NOT EXISTS payment_events (
    id          BIGINT NOT NULL PRIMARY KEY,
    gateway     VARCHAR(16) NOT NULL,
    event_id    VARBINARY(255) NOT NULL COMMENT 'of the gateway',
    type        VARCHAR(64) NOT NULL,
    changes     MEDIUMTEXT NOT NULL COMMENT 'JSON',
    body        MEDIUMBLOB NOT NULL,
    received_at BIGINT NOT NULL,
    UNIQUE KEY payment_events_event (gateway, event_id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
