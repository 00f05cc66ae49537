-- +goose NO TRANSACTION
-- +goose Up
-- One sign-in of one person. second_factor_at 0: not proved. revoked_at 0: valid.
CREATE TABLE IF NOT EXISTS sessions (
    id               BIGINT NOT NULL PRIMARY KEY,
    person_id        BIGINT NOT NULL,
    hash             BINARY(32) NOT NULL COMMENT 'SHA-256 of the secret in the cookie',
    state            VARCHAR(8) NOT NULL CHECK (state IN ('pending', 'active')),
    device           VARCHAR(128) NOT NULL COMMENT 'as people name it: Firefox on Android',
    address          VARCHAR(64) NOT NULL,
    created_at       BIGINT NOT NULL,
    last_used_at     BIGINT NOT NULL COMMENT 'to the minute',
    authenticated_at BIGINT NOT NULL,
    second_factor_at BIGINT NOT NULL,
    expires_at       BIGINT NOT NULL,
    revoked_at       BIGINT NOT NULL,
    UNIQUE KEY sessions_hash (hash),
    KEY sessions_person (person_id, id),
    KEY sessions_expiry (expires_at)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
