-- +goose NO TRANSACTION
-- +goose Up
CREATE TABLE IF NOT EXISTS idempotency_keys (
    id         BINARY(32) NOT NULL PRIMARY KEY COMMENT 'hash of token and key',
    request    BINARY(32) NOT NULL COMMENT 'hash of method, path and body',
    owner      BINARY(16) NOT NULL COMMENT 'of the run that holds the key',
    claimed_at BIGINT     NOT NULL,
    expires_at BIGINT     NOT NULL,
    status     INT        NOT NULL COMMENT 'HTTP status of the response; 0: under way',
    response   MEDIUMBLOB NOT NULL COMMENT 'sealed with the token and key',
    KEY idempotency_keys_expiry (expires_at)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
