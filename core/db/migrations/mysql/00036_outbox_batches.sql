-- +goose NO TRANSACTION
-- +goose Up
-- A batch keeps its number and its facts until the sink has confirmed it, over retries and restarts.
CREATE TABLE IF NOT EXISTS outbox_batches (
    id           BIGINT NOT NULL PRIMARY KEY,
    created_at   BIGINT NOT NULL,
    delivered_at BIGINT NOT NULL,
    KEY outbox_batches_delivered (delivered_at, id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
