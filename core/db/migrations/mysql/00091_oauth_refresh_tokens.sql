-- +goose NO TRANSACTION
-- +goose Up
-- parent_id 0: the first of its grant. Of the successors of one token only the first used stays good.
CREATE TABLE IF NOT EXISTS oauth_refresh_tokens (
    id         BIGINT NOT NULL PRIMARY KEY,
    grant_id   BIGINT NOT NULL,
    parent_id  BIGINT NOT NULL,
    hash       BINARY(32) NOT NULL,
    created_at BIGINT NOT NULL,
    used_at    BIGINT NOT NULL COMMENT '0: not used',
    UNIQUE KEY oauth_refresh_tokens_hash (hash),
    KEY oauth_refresh_tokens_grant (grant_id, parent_id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
