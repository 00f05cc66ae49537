-- +goose NO TRANSACTION
-- +goose Up
CREATE TABLE IF NOT EXISTS catalog_revision (
    id  TINYINT NOT NULL PRIMARY KEY,
    rev BIGINT  NOT NULL
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
