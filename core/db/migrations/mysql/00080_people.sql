-- +goose NO TRANSACTION
-- +goose Up
-- roles: separated by spaces. Who signs up becomes a person when the address is verified, so every address here was.
-- An erased person keeps the row, for what points at it, with an address that names nobody.
CREATE TABLE IF NOT EXISTS people (
    id                  BIGINT NOT NULL PRIMARY KEY,
    email               VARBINARY(254) NOT NULL COMMENT 'normalised; the key of the person',
    name                VARCHAR(255) NOT NULL,
    roles               VARCHAR(255) NOT NULL COMMENT 'separated by spaces',
    affiliate_id        BIGINT NOT NULL COMMENT '0: no affiliate',
    status              VARCHAR(16) NOT NULL CHECK (status IN ('active', 'suspended', 'erased')),
    password            VARCHAR(255) NOT NULL COMMENT 'PHC string; empty: none, nobody can sign in',
    password_changed_at BIGINT NOT NULL,
    created_at          BIGINT NOT NULL,
    updated_at          BIGINT NOT NULL,
    erased_at           BIGINT NOT NULL COMMENT '0: not erased',
    UNIQUE KEY people_email (email),
    KEY people_affiliate (affiliate_id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
