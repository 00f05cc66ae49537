-- +goose NO TRANSACTION
-- +goose Up
-- What is told, frozen as it was when it happened. Written with it in one transaction, if anybody is to be told.
CREATE TABLE IF NOT EXISTS webhook_events (
    id         BIGINT      NOT NULL PRIMARY KEY,
    name       VARCHAR(32) NOT NULL,
    payload    TEXT        NOT NULL,
    created_at BIGINT      NOT NULL
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
