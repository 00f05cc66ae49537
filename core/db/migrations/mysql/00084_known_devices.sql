-- +goose NO TRANSACTION
-- +goose Up
-- Browsers that a person has signed in with; their attempts are counted apart from those of strangers.
CREATE TABLE IF NOT EXISTS known_devices (
    hash       BINARY(32) NOT NULL COMMENT 'SHA-256 of the secret in the cookie and the person',
    person_id  BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (hash),
    KEY known_devices_person (person_id),
    KEY known_devices_expiry (expires_at)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
