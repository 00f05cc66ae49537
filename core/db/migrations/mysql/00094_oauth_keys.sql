-- +goose NO TRANSACTION
-- +goose Up
-- Keys that sign ID tokens; the newest signs.
CREATE TABLE IF NOT EXISTS oauth_keys (
    id          BIGINT NOT NULL PRIMARY KEY,
    private_key TEXT NOT NULL COMMENT 'PKCS 8, sealed',
    created_at  BIGINT NOT NULL
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
