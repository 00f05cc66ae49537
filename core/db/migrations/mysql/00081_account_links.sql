-- +goose NO TRANSACTION
-- +goose Up
-- Links that were sent by mail and open one page once: to set a password (first or new) or to confirm an address.
CREATE TABLE IF NOT EXISTS account_links (
    id         BIGINT NOT NULL PRIMARY KEY,
    hash       BINARY(32) NOT NULL COMMENT 'SHA-256 of the secret in the link',
    kind       VARCHAR(16) NOT NULL CHECK (kind IN ('sign_up', 'invite', 'reset', 'email')),
    person_id  BIGINT NOT NULL COMMENT '0: nobody yet',
    email      VARBINARY(254) NOT NULL,
    name       VARCHAR(255) NOT NULL,
    roles      VARCHAR(255) NOT NULL COMMENT 'of the person to be',
    sponsor_id BIGINT NOT NULL COMMENT 'affiliate who brought the affiliate to be; 0: nobody',
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    used_at    BIGINT NOT NULL COMMENT '0: not used',
    UNIQUE KEY account_links_hash (hash),
    KEY account_links_person (person_id, kind),
    KEY account_links_email (email, created_at),
    KEY account_links_expiry (expires_at)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
