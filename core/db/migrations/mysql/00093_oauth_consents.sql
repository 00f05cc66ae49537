-- +goose NO TRANSACTION
-- +goose Up
-- What a person agreed to give a client of others.
CREATE TABLE IF NOT EXISTS oauth_consents (
    person_id  BIGINT NOT NULL,
    client_id  VARBINARY(64) NOT NULL,
    scopes     VARCHAR(1024) NOT NULL,
    granted_at BIGINT NOT NULL,
    PRIMARY KEY (person_id, client_id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
