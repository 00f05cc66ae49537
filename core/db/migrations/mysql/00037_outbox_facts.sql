-- +goose NO TRANSACTION
-- +goose Up
-- batch_id is 0 until the fact has been given to a batch.
CREATE TABLE IF NOT EXISTS outbox_facts (
    id         BIGINT NOT NULL PRIMARY KEY,
    batch_id   BIGINT NOT NULL,
    fact       TEXT   NOT NULL,
    created_at BIGINT NOT NULL,
    KEY outbox_facts_batch (batch_id, id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
