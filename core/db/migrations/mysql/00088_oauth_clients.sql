-- +goose NO TRANSACTION
-- +goose Up
-- redirect_uris and post_logout_uris: separated by line feeds. secret_hash empty: a public client.
CREATE TABLE IF NOT EXISTS oauth_clients (
    id               BIGINT NOT NULL PRIMARY KEY,
    name             VARCHAR(128) NOT NULL,
    redirect_uris    TEXT NOT NULL,
    post_logout_uris TEXT NOT NULL,
    scopes           VARCHAR(1024) NOT NULL COMMENT 'separated by spaces; the most that it is granted',
    secret_hash      VARBINARY(64) NOT NULL COMMENT 'hexadecimal SHA-256; empty: a public client',
    created_at       BIGINT NOT NULL,
    disabled_at      BIGINT NOT NULL COMMENT '0: enabled'
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
