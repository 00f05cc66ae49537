-- +goose NO TRANSACTION
-- +goose Up
-- What strangers asked for. A worker looks later whether the address is known, so that the answer cannot tell.
CREATE TABLE IF NOT EXISTS account_requests (
    id         BIGINT NOT NULL PRIMARY KEY,
    kind       VARCHAR(16) NOT NULL CHECK (kind IN ('sign_up', 'reset', 'email')),
    email      VARBINARY(254) NOT NULL,
    name       VARCHAR(255) NOT NULL,
    roles      VARCHAR(255) NOT NULL,
    sponsor_id BIGINT NOT NULL,
    person_id  BIGINT NOT NULL COMMENT 'who asks for another address; 0: a stranger',
    created_at BIGINT NOT NULL
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
