-- +goose NO TRANSACTION
-- +goose Up
-- sealed holds the tax identity (PAN in India), fingerprint a keyed hash of it; both empty: none was given.
CREATE TABLE IF NOT EXISTS payee_tax_profiles (
    affiliate_id BIGINT      NOT NULL PRIMARY KEY,
    country      VARCHAR(2)  NOT NULL,
    sealed       TEXT        NOT NULL,
    masked       VARCHAR(40) NOT NULL,
    fingerprint  VARCHAR(64) NOT NULL,
    updated_at   BIGINT      NOT NULL,
    FOREIGN KEY (affiliate_id) REFERENCES affiliates (id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
