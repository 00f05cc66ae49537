-- +goose NO TRANSACTION
-- +goose Up
CREATE TABLE IF NOT EXISTS visitor_salts (
    day  BIGINT     NOT NULL PRIMARY KEY COMMENT 'days since 1970-01-01 UTC',
    salt BINARY(16) NOT NULL
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
