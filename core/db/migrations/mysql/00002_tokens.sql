-- +goose NO TRANSACTION
-- +goose Up
CREATE TABLE IF NOT EXISTS tokens (
    id           BIGINT       NOT NULL PRIMARY KEY,
    name         VARCHAR(128) NOT NULL,
    scopes       VARCHAR(512) NOT NULL COMMENT 'separated by spaces',
    hash         BINARY(32)   NOT NULL COMMENT 'SHA-256 of the secret',
    created_at   BIGINT       NOT NULL,
    last_used_at BIGINT       NOT NULL COMMENT '0: never; to the minute',
    revoked_at   BIGINT       NOT NULL COMMENT '0: valid',
    UNIQUE KEY tokens_hash (hash)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
