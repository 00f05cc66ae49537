-- +goose NO TRANSACTION
-- +goose Up
-- Who publishes at present. One row, made with the first lease.
CREATE TABLE IF NOT EXISTS outbox_lease (
    name   VARCHAR(32) NOT NULL PRIMARY KEY,
    holder BIGINT      NOT NULL,
    until  BIGINT      NOT NULL
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
