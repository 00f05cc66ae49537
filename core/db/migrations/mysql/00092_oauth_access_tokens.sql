-- +goose NO TRANSACTION
-- +goose Up
-- viewer_id: who looks at the person with it, read-only; 0: the person.
CREATE TABLE IF NOT EXISTS oauth_access_tokens (
    hash       BINARY(32) NOT NULL PRIMARY KEY,
    grant_id   BIGINT NOT NULL COMMENT '0: a look at a person',
    session_id BIGINT NOT NULL,
    person_id  BIGINT NOT NULL,
    viewer_id  BIGINT NOT NULL,
    scopes     VARCHAR(1024) NOT NULL,
    expires_at BIGINT NOT NULL,
    KEY oauth_access_tokens_grant (grant_id),
    KEY oauth_access_tokens_expiry (expires_at)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
